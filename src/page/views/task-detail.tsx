import type { JSX } from 'preact';
import type {
    AttemptDetail,
    ChatDetail,
    EntryDetail,
    FailedTestDetail,
    TestDetail,
    TestGroupDetail,
} from '../../model/page-data.js';
import { showBytes, showCount, showNumber, showSeconds, showTime } from '../language/figures.js';
import { say } from '../language/text.js';
import { formatLabel, formatLines } from '../parts/shown-text.js';
import { SmallTable } from '../parts/small-table.js';
import { SourceCode, TextBlock } from '../parts/source-code.js';

interface TaskDetailProps {
    readonly detail: EntryDetail;
    readonly language: string;
    /** Command that shows input and expected output; null: they are shown here. */
    readonly command: string | null;
}

/** The long parts of a task, with the explanation of its verdict first. */
export function TaskDetail({ detail, language, command }: TaskDetailProps): JSX.Element {
    const { message, failure, tests, chat, source, row, result, attempts, limits, testGroups } = detail;
    return (
        <>
            {message !== undefined && <TextBlock title={say('message')} text={message} />}
            {failure !== undefined && (
                <FailedTest failure={failure} count={tests?.length ?? 0} command={command} />
            )}
            {chat !== undefined && <Chat chat={chat} />}
            {source !== undefined && <SourceCode title={say('source')} source={source} language={language} />}
            {row !== undefined && <SourceCode title={say('row')} source={row} language="json" />}
            {attempts.length > 0 && <Attempts attempts={attempts} />}
            {testGroups !== undefined && testGroups.length > 0 && (
                <TestGroups groups={testGroups} points={detail.points} />
            )}
            {tests !== undefined && tests.length > 0 && (
                <TestList tests={tests} more={detail.moreTests ?? 0} />
            )}
            {result !== undefined && <SourceCode title={say('result')} source={result} language="json" />}
            <dl class="facts">
                {limits !== undefined && (
                    <div>
                        <dt>{say('limits')}</dt>
                        <dd>
                            {[
                                showSeconds(limits.time ?? 0),
                                showBytes(limits.memory ?? 0),
                                showBytes(limits.output ?? 0),
                            ]
                                .filter((part) => part !== '')
                                .join(', ')}
                        </dd>
                    </div>
                )}
                {detail.compiler !== undefined && <Fact label={say('compiler')} value={detail.compiler} />}
                {detail.adapted !== undefined && (
                    <Fact label={say('adapted')} value={detail.adapted.join(', ')} />
                )}
                {detail.fingerprint !== undefined && (
                    <Fact label={say('fingerprint')} value={detail.fingerprint} />
                )}
            </dl>
        </>
    );
}

function Fact({ label, value }: { readonly label: string; readonly value: string }): JSX.Element {
    return (
        <div>
            <dt>{label}</dt>
            <dd class="wrap">{formatLabel(value)}</dd>
        </div>
    );
}

function FailedTest({
    failure,
    count,
    command,
}: {
    readonly failure: FailedTestDetail;
    readonly count: number;
    readonly command: string | null;
}): JSX.Element {
    const { difference, checkerMessage, transcript, stdout, stderr, compilerOutput } = failure;
    const { input, expectedOutput, missing } = failure;
    const name = failure.name === '' ? '' : ` (${formatLabel(failure.name)})`;
    const ending = [
        formatLabel(failure.verdict),
        failure.signal === undefined ? '' : formatLabel(failure.signal),
        failure.returnCode === undefined ? '' : `${say('returnCode')} ${failure.returnCode}`,
    ];
    return (
        <section class="failure">
            <h3>
                {say('failedTest')}: {say('testOf', { position: failure.position, count: showCount(count) })}
                {name}
            </h3>
            <p>{ending.filter((part) => part !== '').join(', ')}</p>
            {difference !== undefined && (
                <div class="difference">
                    <h4>{say('firstDifference', { line: showCount(difference.line) })}</h4>
                    <dl>
                        <dt>{say('expected')}</dt>
                        <dd class="expected">{formatLines(difference.expected)}</dd>
                        <dt>{say('got')}</dt>
                        <dd class="got">{formatLines(difference.got)}</dd>
                    </dl>
                </div>
            )}
            {checkerMessage !== undefined && (
                <TextBlock title={say('checkerMessage')} text={checkerMessage} />
            )}
            {transcript !== undefined && <TextBlock title={say('transcript')} text={transcript} />}
            {compilerOutput !== undefined && (
                <TextBlock title={say('compilerOutput')} text={compilerOutput} />
            )}
            {input !== undefined && <TextBlock title={say('input')} text={input} />}
            {expectedOutput !== undefined && (
                <TextBlock title={say('expectedOutput')} text={expectedOutput} />
            )}
            {stdout !== undefined && stdout.text !== '' && <TextBlock title={say('stdout')} text={stdout} />}
            {stderr !== undefined && stderr.text !== '' && <TextBlock title={say('stderr')} text={stderr} />}
            {command !== null && input === undefined && (
                <p class="note">{say('inputElsewhere', { command })}</p>
            )}
            {missing !== undefined && (
                <p class="note">{say('inputMissing', { reason: formatLabel(missing) })}</p>
            )}
        </section>
    );
}

function Chat({ chat }: { readonly chat: ChatDetail }): JSX.Element {
    const { turns, answer, reasoning, expected, scorer, reason } = chat;
    return (
        <section>
            {turns.map(({ role, text }, at) => (
                <TextBlock key={at} title={nameRole(role, at, turns.length)} text={text} />
            ))}
            {reasoning !== undefined && <TextBlock title={say('reasoning')} text={reasoning} />}
            {answer !== undefined && <TextBlock title={say('answer')} text={answer} />}
            {expected !== undefined && <TextBlock title={say('expected')} text={expected} />}
            {scorer !== undefined && (
                <p>
                    {say('scorer')}: {formatLabel(scorer)}
                </p>
            )}
            {reason !== undefined && <TextBlock title={say('scorerReason')} text={reason} />}
        </section>
    );
}

/** A single message is labelled as the prompt; in a conversation each turn is labelled with its speaker. */
function nameRole(role: string, at: number, turns: number): string {
    if (role === '') return `${say('turn')} ${at + 1}`;
    if (role === 'system') return say('systemMessage');
    return role === 'user' && turns <= 2 ? say('prompt') : `${say('turn')} ${at + 1}: ${formatLabel(role)}`;
}

function Attempts({ attempts }: { readonly attempts: readonly AttemptDetail[] }): JSX.Element {
    return (
        <SmallTable
            class="block"
            title={say('attempts')}
            name="attempts"
            heads={[
                say('attempt'),
                say('ending'),
                say('startedAt'),
                say('duration'),
                say('where'),
                say('message'),
            ]}
            rows={attempts.map((attempt) => [
                attempt.attempt,
                formatLabel(attempt.ending),
                formatLabel(showTime(attempt.startedAt)),
                showSeconds(attempt.duration),
                formatLabel(attempt.where),
                formatLabel(attempt.message?.text ?? ''),
            ])}
        />
    );
}

/** For a problem with scores: the result of each test group. */
function TestGroups({
    groups,
    points,
}: {
    readonly groups: readonly TestGroupDetail[];
    readonly points: EntryDetail['points'];
}): JSX.Element {
    const got = showNumber(points?.score ?? 0, 3);
    const best = points?.best;
    return (
        <SmallTable
            class="block"
            title={`${say('score')}: ${best === undefined ? got : say('of', { hits: got, judged: showNumber(best, 3) })}`}
            name="test-groups"
            label={say('testGroups')}
            heads={[say('testGroups'), say('verdict'), say('score')]}
            rows={groups.map(({ name, verdict, score }) => [
                formatLabel(name),
                formatLabel(verdict),
                score === null ? '' : showNumber(score, 3),
            ])}
        />
    );
}

function TestList({
    tests,
    more,
}: {
    readonly tests: readonly TestDetail[];
    readonly more: number;
}): JSX.Element {
    return (
        <section class="block">
            <h3>{say('allTests')}</h3>
            <ol class="test-list">
                {tests.map(([ending, time, memory, name, score], at) => (
                    <li key={at} class={ending === '' ? 'accepted' : 'bad-reject'}>
                        <span class="faint">{at + 1}</span>{' '}
                        {ending === '' ? say('passed') : formatLabel(ending)}{' '}
                        <span class="faint">
                            {[
                                formatLabel(name),
                                showSeconds(time ?? 0),
                                showBytes(memory ?? 0),
                                score === undefined ? '' : `${say('score')} ${showNumber(score, 3)}`,
                            ]
                                .filter((part) => part !== '')
                                .join(', ')}
                        </span>
                    </li>
                ))}
            </ol>
            {more > 0 && <p class="note">{say('moreTests', { count: showCount(more) })}</p>}
        </section>
    );
}

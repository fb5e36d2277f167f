// Calls a function for each task:
//   npx resume-run examples/any-task/pi.rows --dir pi --executor module --module examples/any-task/module.mjs
import { estimatePi } from './estimate.mjs';

/**
 * @param {import('resume-run').ModuleTask} task `{id, group, index, input}`; `input` is the task as the dataset gives it
 * @param {import('resume-run').ModuleContext} context `{signal, attempt, log}`
 * @returns a JSON object, stored whole as `result`; `accepted: false` makes it a WrongAnswer, throwing makes it a failure
 */
export default function run(task, context) {
    const estimate = estimatePi(task.input);
    context.log(`${task.id} ${task.index}: ${estimate}`);
    const error = Math.abs(estimate - Math.PI);
    return { estimate, error, accepted: error < 0.05 };
}

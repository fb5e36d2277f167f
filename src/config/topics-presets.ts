import type { StoredOptions } from './option.js';

/** Options that are fixed for `topics`. */
export const TOPICS_FIXED: StoredOptions = { executor: 'chat' };

/** Defaults for `topics`: the service and model of the earlier tool, with our own prompts. */
export const TOPICS_PRESETS: StoredOptions = {
    endpoint: ['https://open.bigmodel.cn/api/paas/v4'],
    model: 'glm-4.5-aq',
    system: 'You write sound, well-structured analyses and say where facts are uncertain.',
    'prompt-template': 'Write an analysis of this topic: {topic}\n\n{search_results}',
    temperature: 0.3,
    'web-search': true,
    'search-query': '{topic}',
};

import type { StoredOptions } from './option.js';

/** What asking about topics decides whatever is asked. */
export const TOPICS_FIXED: StoredOptions = { executor: 'chat' };

/** Defaults of asking about topics: the service and model of the earlier tool, and prompts of our own. */
export const TOPICS_PRESETS: StoredOptions = {
    endpoint: ['https://open.bigmodel.cn/api/paas/v4'],
    model: 'glm-4.5-aq',
    system: 'You write sound, well-structured analyses and say where facts are uncertain.',
    'prompt-template': 'Write an analysis of this topic: {topic}\n\n{search_results}',
    temperature: 0.3,
    'web-search': true,
    'search-query': '{topic}',
};

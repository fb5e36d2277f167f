/** The long form of the tests: `.ci/long` asks for it. The ordinary form tries less of what is only tried more often. */
export const LONG = process.env['LONG_TESTS'] === '1';

/** How often a property is tried. */
export const runs = (usual: number): number => (LONG ? usual * 20 : usual);

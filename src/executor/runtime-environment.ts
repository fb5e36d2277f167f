/**
 * Environment of every judged program and every compiler, here and on go-judge servers. Most of it reverts defaults of current
 * runtimes that judges did not have when the programs of datasets were accepted; docs/judging.md lists the variables with the
 * reasons. Runtimes ignore variables that are not theirs, so all programs get all of them.
 */
export const RUNTIME_ENVIRONMENT: readonly string[] = [
    'LANG=C.UTF-8',
    'LC_ALL=C.UTF-8',
    // Dates must be the same on every machine.
    'TZ=UTC',
    'ONLINE_JUDGE=1',
    // Python 3.11 (and 3.10.7) refuses to convert integers of more than 4,300 digits.
    'PYTHONINTMAXSTRDIGITS=0',
    // The same order of sets and dictionaries each time, so that verdicts are reproducible.
    'PYTHONHASHSEED=0',
    'PYTHONUTF8=1',
    'PERL_HASH_SEED=0',
    'PERL_PERTURB_KEYS=0',
    // Go 1.20 seeds math/rand randomly, and from 1.24 on rand.Seed does nothing.
    'GODEBUG=randautoseed=0,randseednop=0',
    // .NET 7 maps all compiled code twice, which breaks memory limits; without ICU it does not start at all.
    'DOTNET_EnableWriteXorExecute=0',
    'DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1',
    'DOTNET_CLI_TELEMETRY_OPTOUT=1',
    'DOTNET_NOLOGO=1',
];

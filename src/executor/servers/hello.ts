import { COMPILED_HELLO_WORLDS } from '../judge/hello.js';

/** The output of every hello-world. */
export const HELLO_OUTPUT = 'hello';

/** The smallest program of each language, by tag: shows whether a server can run that language at all. */
export const HELLO_WORLDS: Readonly<Record<string, string>> = {
    ...COMPILED_HELLO_WORLDS,
    PYTHON3: 'print("hello")\n',
    JAVASCRIPT: 'console.log("hello");\n',
    TYPESCRIPT: 'const text: string = "hello";\nconsole.log(text);\n',
    CSHARP: 'class Program { static void Main() { System.Console.WriteLine("hello"); } }\n',
    PHP: '<?php echo "hello\\n";\n',
    RUBY: 'puts "hello"\n',
    PERL: 'print "hello\\n";\n',
    LUA: 'print("hello")\n',
    SCALA: 'object Main { def main(a: Array[String]): Unit = println("hello") }\n',
    JULIA: 'println("hello")\n',
    R: 'cat("hello\\n")\n',
    BASH: 'echo hello\n',
};

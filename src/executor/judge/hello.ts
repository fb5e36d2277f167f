/** Minimal programs of the compiled languages, by tag: a compiler that rejects one is broken. */
export const COMPILED_HELLO_WORLDS: Readonly<Record<string, string>> = {
    C: '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n',
    CPP: '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n',
    JAVA: 'public class Main {\n    public static void main(String[] args) { System.out.println("hello"); }\n}\n',
    GO: 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n',
    RUST: 'fn main() { println!("hello"); }\n',
    KOTLIN: 'fun main() { println("hello") }\n',
    HASKELL: 'main :: IO ()\nmain = putStrLn "hello"\n',
    CSHARP: 'class Hello { static void Main() { System.Console.WriteLine("hello"); } }\n',
    PROLOG: "main :- writeln('hello').\n",
    PASCAL: "begin writeln('hello'); end.\n",
    OCAML: 'let () = print_endline "hello"\n',
};

"""One small program of each kind for each tool chain: good, broken, raising, endless, and wanting what is not here.

The good one reads a line, writes it in capitals and adds 42: "HI 42".
"""

from __future__ import annotations

from typing import NamedTuple


class Programs(NamedTuple):
    """Empty where the language has no such thing."""

    good: str
    broken: str
    raising: str
    endless: str
    wanting: str
    wants: str = ""
    """What the wanting one's trial must name."""


SMALL: dict[str, Programs] = {
    "Python": Programs(
        "print(input().upper(), 6 * 7)",
        "def f(:\n",
        "[][3]",
        "while True: pass",
        "import surely_absent.part",
        "surely_absent",
    ),
    "JavaScript": Programs(
        'console.log(require("fs").readFileSync(0, "utf8").trim().toUpperCase(), 6 * 7);',
        "const f = (x => ;",
        "null.x;",
        "for (;;) {}",
        'require("surely-absent");',
        "surely-absent",
    ),
    "TypeScript": Programs(
        'import * as fs from "fs";\nconst n: number = 6 * 7;\n'
        'console.log(fs.readFileSync(0, "utf8").trim().toUpperCase(), n);',
        "let x: = 1;",
        "const a: any = null;\na.x;",
        "for (;;) {}",
        'import { a } from "surely-absent";\nconsole.log(a);',
        "surely-absent",
    ),
    "Bash": Programs(
        'read -r line; echo "${line^^} $((6 * 7))"',
        "if true; then\n",
        "exit 3",
        "while :; do :; done",
        "surely_absent --all | wc -l",
        "surely_absent",
    ),
    "C": Programs(
        "#include <stdio.h>\n#include <ctype.h>\n"
        "int main(void) { int c; while ((c = getchar()) != 10) putchar(toupper(c));"
        ' printf(" %d\\n", 6 * 7); return 0; }',
        "int main(void) { return 0",
        "int main(void) { int *p = 0; return *p; }",
        "int main(void) { for (;;) {} }",
        "#include <surely/absent.h>\nint main(void) { return 0; }",
        "surely/absent.h",
    ),
    "C++": Programs(
        "#include <iostream>\nint main() { std::string s; std::getline(std::cin, s); for (auto &c : s) c = toupper(c);"
        ' std::cout << s << " " << 6 * 7 << std::endl; }',
        "int main() { return 0",
        "#include <vector>\nint main() { return std::vector<int>().at(3); }",
        "int main() { for (volatile int i = 0;;) i = i + 1; }",
        "#include <surely/absent.hpp>\nint main() {}",
        "surely/absent.hpp",
    ),
    "Java": Programs(
        "import java.util.Scanner;\npublic class Hi { public static void main(String[] args) {"
        ' System.out.println(new Scanner(System.in).nextLine().toUpperCase() + " " + 6 * 7); } }',
        "public class Hi { void f( { } }",
        "class Hi { public static void main(String[] args) { int[] a = {}; a[3] = 1; } }",
        "class Hi { public static void main(String[] args) { while (true) {} } }",
        "import surely.absent.Thing;\nclass Hi { public static void main(String[] args) {} }",
        "surely.absent",
    ),
    "C#": Programs(
        "using System;\nclass P { static void Main() {"
        ' Console.WriteLine(Console.ReadLine().ToUpper() + " " + 6 * 7); } }',
        "class P { static void Main() { int = ; } }",
        "class P { static void Main() { int[] a = new int[0]; a[3] = 1; } }",
        "class P { static void Main() { while (true) {} } }",
        "using Surely.Absent;\nclass P { static void Main() {} }",
        "Surely",
    ),
    "Go": Programs(
        'package main\n\nimport (\n\t"bufio"\n\t"fmt"\n\t"os"\n\t"strings"\n)\n\nfunc main() {\n'
        "\ts, _ := bufio.NewReader(os.Stdin).ReadString(10)\n"
        "\tfmt.Println(strings.ToUpper(strings.TrimSpace(s)), 6*7)\n}\n",
        "package main\n\nfunc main( {\n}\n",
        'package main\n\nfunc main() {\n\tvar m map[string]int\n\tm["a"] = 1\n}\n',
        "package main\n\nfunc main() {\n\tfor {\n\t}\n}\n",
        'package main\n\nimport "example.com/surely/absent"\n\nfunc main() { absent.Do() }\n',
        "example.com/surely/absent",
    ),
    "Rust": Programs(
        "use std::io;\nfn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap();"
        ' println!("{} {}", s.trim().to_uppercase(), 6 * 7); }',
        "fn main( { }",
        'fn main() { let v: Vec<i32> = Vec::new(); println!("{}", v[3]); }',
        "fn main() { loop {} }",
        "use surely_absent::Thing;\nfn main() {}",
        "surely_absent",
    ),
    "Ruby": Programs(
        'puts "#{gets.strip.upcase} #{6 * 7}"',
        "def f(\nend end",
        "nil.upcase",
        "loop {}",
        "require 'surely_absent'",
        "surely_absent",
    ),
    "PHP": Programs(
        '<?php echo strtoupper(trim(fgets(STDIN))), " ", 6 * 7, "\\n";',
        "<?php function f( { return 1; }",
        "<?php throw new Exception('no');",
        "<?php while (true) {}",
        "<?php require 'surely_absent.php';",
        "surely_absent.php",
    ),
    "SQL": Programs(
        "CREATE TABLE t(a TEXT, b INT); INSERT INTO t VALUES ('HI', 6 * 7); SELECT a || ' ' || b FROM t;",
        "",
        "CREATE TABLE t(a INT UNIQUE); INSERT INTO t VALUES (1), (1);",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n;",
        "SELECT * FROM surely_absent;",
        "surely_absent",
    ),
    "Lua": Programs(
        'print(io.read():upper() .. " " .. 6 * 7)',
        "local function f( end",
        "local t = nil; print(t.x)",
        "while true do end",
        'require("surely_absent")',
        "surely_absent",
    ),
    "Perl": Programs(
        'my $s = <STDIN>; chomp $s; print uc($s), " ", 6 * 7, "\\n";',
        "my $x = ;\n",
        "die 'no';",
        "while (1) {}",
        "use Surely::Absent;",
        "Surely/Absent.pm",
    ),
    "R": Programs(
        'x <- readLines("stdin", n = 1); cat(toupper(x), 6 * 7, "\\n")',
        "f <- function( {",
        "stop('no')",
        "while (TRUE) {}",
        "library(surelyabsent)",
        "surelyabsent",
    ),
    "Verilog": Programs(
        'module t; initial begin $display("HI %0d", 6 * 7); $finish; end endmodule',
        "module t; initial begin $display( end endmodule",
        "",
        "module t; initial forever begin end endmodule",
        "module t; surely_absent u(); endmodule",
        "surely_absent",
    ),
    "SystemVerilog": Programs(
        'module t; initial begin int n = 6 * 7; $display("HI %0d", n); end endmodule',
        "module t; initial begin $display( end endmodule",
        "",
        "module t; initial forever begin end endmodule",
        "module t; surely_absent u(); endmodule",
        "surely_absent",
    ),
    "Haskell": Programs(
        'import Data.Char\nmain = do\n  s <- getLine\n  putStrLn (map toUpper s ++ " " ++ show (6 * 7))\n',
        "main = do { let x = }",
        "main = print (head ([] :: [Int]))",
        "main = let loop n = loop (n + 1 :: Int) in print (loop 0 :: Int)",
        "import Surely.Absent\nmain = return ()",
        "Surely.Absent",
    ),
    "Octave": Programs(
        "x = input('', 's'); printf(\"%s %d\\n\", toupper(x), 6 * 7);",
        "x = [1 2",
        "error('no');",
        "while true\nend",
        "surely_absent(3)",
        "surely_absent",
    ),
    "MATLAB": Programs(
        "x = input('', 's'); fprintf('%s %d\\n', upper(x), 6 * 7);",
        "",
        "error('no');",
        "while true\nend",
        "surely_absent(3)",
        "surely_absent",
    ),
    "OCaml": Programs(
        'let () = print_endline (String.uppercase_ascii (read_line ()) ^ " " ^ string_of_int (6 * 7))',
        "let x = in",
        'let () = failwith "no"',
        "let () = while true do () done",
        "let () = Surely_absent.f ()",
        "Surely_absent",
    ),
    "Fortran": Programs(
        "program p\n  character(len=2) :: s\n  read *, s\n  if (s == 'hi') print '(a,i3)', 'HI', 6 * 7\nend program\n",
        "program p\n  integer :: \nend program\n",
        "program p\n  stop 3\nend program\n",
        "program p\n  do\n  end do\nend program\n",
        "program p\n  use surely_absent\nend program\n",
        "surely_absent",
    ),
    "Prolog": Programs(
        ":- initialization(main).\nmain :- read_line_to_string(user_input, S), string_upper(S, U), X is 6 * 7,"
        " write(U), write(' '), write(X), nl.\n",
        "main :- X is .\n",
        ":- initialization(main).\nmain :- atom_length(X, _), write(X).\n",
        ":- initialization(main).\nmain :- repeat, fail.\n",
        ":- use_module(library(surely_absent)).\n",
        "surely_absent",
    ),
    "AWK": Programs(
        "{ print toupper($0), 6 * 7 }",
        "BEGIN {",
        "BEGIN { exit 3 }",
        "BEGIN { while (1) {} }",
        "",
    ),
    "Tcl": Programs(
        'puts "[string toupper [gets stdin]] [expr 6 * 7]"',
        "",
        "error no",
        "while 1 {}",
        "package require surely_absent",
        "surely_absent",
    ),
}

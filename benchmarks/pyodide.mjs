// Runs compile_sizes.py or truth.py in Pyodide, CPython built for WebAssembly, for a Python that is
// not installed:  npm install pyodide@314 && node pyodide.mjs SCRIPT < paths > answers
// Bytecode does not depend on the platform: Pyodide's answers are those of the same CPython.
import fs from "node:fs";
import { loadPyodide } from "pyodide";

const python = await loadPyodide({ stdout: (line) => process.stdout.write(`${line}\n`) });
python.mountNodeFS("/host", "/");
python.globals.set("PATHS", fs.readFileSync(0, "utf8"));
python.globals.set("SOURCE", fs.readFileSync(process.argv[2], "utf8"));
python.runPython(`
import io, sys
sys.stdin = io.StringIO("".join(f"/host{path}\\n" for path in PATHS.splitlines()))
exec(compile(SOURCE, "script", "exec"), {"__name__": "__main__"})
`);

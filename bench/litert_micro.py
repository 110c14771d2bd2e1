"""LiteRT Micro's side of bench/nets.py: a float net as an int8 file of TensorFlow Lite, and its interpreter.

Needs tensorflow, arm-none-eabi-g++ and, in the environment variable LITERT_MICRO, a folder with checkouts of
tflite-micro, flatbuffers (25.9.23), gemmlowp and ruy beside each other. The interpreter has only the five
operators of the net, its own portable kernels, no words for errors, and the smallest arena that it takes.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = os.environ.get("LITERT_MICRO", "")
LITE = "tflite-micro/tensorflow/lite"
PARTS = (
    "../compiler/mlir/lite/schema", "core/api", "core/c", "kernels/internal", "kernels", "micro",
    "micro/arena_allocator", "micro/memory_planner", "micro/tflite_bridge",
)  # fmt: skip
ALONE = ("test", "mock", "fake", "recording", "hexdump")
"""Files with these words in their names are for tests and tools."""
KERNELS = ("conv", "depthwise_conv", "fully_connected", "pooling", "pad")
FLAGS = (
    "-Os", "-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics", "-ffunction-sections",
    "-fdata-sections", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-DTF_LITE_STATIC_MEMORY",
    "-DTF_LITE_STRIP_ERROR_STRINGS", "-DNDEBUG", "-w",
)  # fmt: skip
CODE = """#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include <string.h>
#include <new>
extern "C" void DebugLog(const char *, va_list) {{}}
extern "C" void abort() {{ for (;;) {{}} }}
extern "C" void __cxa_pure_virtual() {{ abort(); }}
void operator delete(void *) noexcept {{}}
void operator delete(void *, unsigned) noexcept {{}}
alignas(16) static const unsigned char model[] = {{{data}}};
alignas(16) static uint8_t arena[{arena}];
extern "C" uint32_t answer(const void *row)
{{
    static tflite::MicroInterpreter *one = nullptr;
    static uint8_t place[sizeof(tflite::MicroInterpreter)];
    static uint8_t known[sizeof(tflite::MicroMutableOpResolver<5>)];
    if (!one) {{
        auto *r = new (known) tflite::MicroMutableOpResolver<5>();
        r->AddConv2D(); r->AddDepthwiseConv2D(); r->AddFullyConnected();
        r->AddAveragePool2D(); r->AddPad();
        one = new (place) tflite::MicroInterpreter(tflite::GetModel(model), *r, arena, sizeof arena);
        if (one->AllocateTensors() != kTfLiteOk) return 0xFFFFFFFF;
    }}
    memcpy(one->input(0)->data.raw, row, one->input(0)->bytes);
    if (one->Invoke() != kTfLiteOk) return 0xFFFFFFFE;
    if ({asks_size}) return (uint32_t)one->arena_used_bytes();
    const int8_t *y = one->output(0)->data.int8;
    int best = 0;
    for (int k = 1; k < {classes}; k++) best = y[k] > y[best] ? k : best;
    return (uint32_t)best;
}}
"""


def include() -> list[str]:
    """Return where its headers are."""
    places = ("tflite-micro", "flatbuffers/include", "gemmlowp", "ruy")
    return [f"-I{Path(FOLDER, place)}" for place in places]


def library(folder: Path, processor: tuple[str, ...]) -> Path:
    """Compile the interpreter and the kernels; returns the archive."""
    lite = Path(FOLDER, LITE)
    files = [
        path
        for part in PARTS
        for path in sorted((lite / part).glob("*.cc"))
        if not any(word in path.name for word in ALONE) and (part != "kernels" or path.stem == "kernel_util")
    ]
    kernels = lite / "micro/kernels"
    names = [*(f"{k}{end}" for k in KERNELS for end in ("", "_common")), "kernel_util"]
    files += [kernels / f"{name}.cc" for name in names if (kernels / f"{name}.cc").exists()]
    objects: list[str] = []
    for k, path in enumerate(files):
        objects.append(str(folder / f"{k}.o"))
        command = ["arm-none-eabi-g++", *processor, *FLAGS, *include(), "-c", str(path), "-o", objects[-1]]
        subprocess.run(command, check=True, timeout=300)
    subprocess.run(["arm-none-eabi-ar", "rcs", str(folder / "libmicro.a"), *objects], check=True, timeout=60)
    return folder / "libmicro.a"


def file_of(model: Any, shape: tuple[int, int], seen: np.ndarray) -> tuple[bytes, float, int]:
    """Return a torch net of convolutions along time as an int8 file, and its input's scale and zero."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    from torch import nn

    length, channels = shape
    given = tf.keras.Input((length, 1, channels), batch_size=1)
    y = given
    for layer in model:
        match layer:
            case nn.Conv1d():
                width, step, before = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
                if before:
                    y = tf.keras.layers.ZeroPadding2D(((before, before), (0, 0)))(y)
                weight = layer.weight.detach().numpy()[:, :, :, None]
                if layer.groups == 1:
                    made: Any = tf.keras.layers.Conv2D(layer.out_channels, (width, 1), (step, 1))
                    kernel = weight.transpose(2, 3, 1, 0)
                else:
                    made = tf.keras.layers.DepthwiseConv2D((width, 1), (step, step))
                    kernel = weight.transpose(2, 3, 0, 1)
                y = made(y)
                made.set_weights([kernel, layer.bias.detach().numpy()])
            case nn.BatchNorm1d():
                made = tf.keras.layers.BatchNormalization(epsilon=layer.eps)
                y = made(y)
                parts = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
                made.set_weights([p.detach().numpy() for p in parts])
            case nn.ReLU():
                y = tf.keras.layers.ReLU()(y)
            case nn.AvgPool1d():
                y = tf.keras.layers.AveragePooling2D((layer.kernel_size[0], 1))(y)
            case nn.Flatten():
                y = tf.keras.layers.Flatten()(y)
            case nn.Linear():
                made = tf.keras.layers.Dense(layer.out_features)
                y = made(y)
                made.set_weights([layer.weight.detach().numpy().T, layer.bias.detach().numpy()])
            case _:
                raise TypeError(f"{layer} is not expected")
    converter = tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(given, y))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([r.reshape(1, length, 1, channels)] for r in seen)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with contextlib.redirect_stdout(io.StringIO()):
        content = bytes(converter.convert())
    scale, zero = tf.lite.Interpreter(model_content=content).get_input_details()[0]["quantization"]
    return content, float(scale), int(zero)


def rows_of(rows: np.ndarray, scale: float, zero: int) -> np.ndarray:
    """Return rows (n, ...) as the file's input wants them, flat."""
    return np.clip(np.round(rows / scale) + zero, -128, 127).astype(np.int8).reshape(len(rows), -1)


def linked(
    content: bytes,
    classes: int,
    folder: Path,
    processor: tuple[str, ...],
    arena: int,
    asks_size: bool = False,
) -> tuple[str, ...]:
    """Return what links into an answer by the interpreter; with `asks_size` the arena it used is one."""
    code = CODE.format(
        data=",".join(map(str, content)), arena=arena, classes=classes, asks_size=int(asks_size)
    )
    (folder / "answer.cc").write_text(code)
    command = ["arm-none-eabi-g++", *processor, *FLAGS, *include(), "-c", "answer.cc", "-o", "answer.o"]
    subprocess.run(command, check=True, timeout=300, cwd=folder)
    archive = Path(FOLDER, f"libmicro{''.join(processor)}.a")
    if not archive.exists():
        library(folder, processor).replace(archive)
    return (str(folder / "answer.o"), str(archive), "-lstdc++")

"""A project in a virtual machine: requests for tools/vm, and what its times mean."""

import json
import statistics

from .running import Failure, run

kWarmUp = 12  # tokens until the browser has settled
kWindow = 8   # tokens per mean: players step in frames, so single tokens are quantised


def vm_results(vm, sb3, request, folder):
    path = folder / "request.json"
    path.write_text(json.dumps(request))
    _, output = run(["node", "tools/vm/run.mjs", "--vm", vm, sb3, path])
    result = json.loads(output)
    if result["compile_errors"] or result["status"] != "ready":
        raise Failure(f"{vm}: {result['status']} {result['compile_errors']}")
    return result


def ids(count):
    return [0] + [200 + 37 * i % 800 for i in range(count - 1)]  # in the smallest vocabulary too


def greedy(tokens, count):
    # Unpenalised: the same work on every token.
    return {"tokens": tokens, "timeout_s": 3000,
            "set": {"max new tokens": count, "temperature": 0, "top k": 0, "top p": 1,
                    "repetition penalty": 1, "record logits": 0}}


def generate(prompt, tokens):
    return greedy(ids(prompt), tokens)


def measure_vm(vm, sb3, runs, folder, warp_timer=False):
    """{loading, heap after loading and after all runs, a list of token_ms per run}"""
    result = vm_results(vm, sb3, {"load_timeout_s": 900, "warp_timer": warp_timer, "runs": runs},
                        folder)
    return {"seconds_parsing": result["seconds_parsing"],
            "seconds_loading": result["seconds_loading"],
            "heap_bytes": result["heap_bytes"], "heap_bytes_at_end": result["heap_bytes_at_end"],
            "token_ms": [one["token_ms"] for one in result["runs"]]}


def steady_ms(token_ms, warm_up=kWarmUp):
    """Median of means over windows after warming up; the plain mean if there are too few."""
    later = token_ms[warm_up:]
    if len(later) < 2 * kWindow:
        return statistics.mean(token_ms[1:] or token_ms)
    return statistics.median(statistics.mean(later[i:i + kWindow])
                             for i in range(0, len(later) - kWindow + 1, kWindow))

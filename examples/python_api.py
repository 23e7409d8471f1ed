"""Judge stored answers from Python and read the numbers. Needs no key: the mini suite has a judge without a model."""

from pathlib import Path

from codearena_plugin import paths
from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.prompts.suite import load_suite
from codearena_plugin.runs.judge import judge_answers


def main(out: Path = Path("out/python_api")) -> None:
    suite = load_suite("codearena_mini")
    answers = read_answers(paths.data_dir("tasks") / "codearena_mini" / "data" / "answers_careful.jsonl", suite)
    settings = resolve_settings(
        {"judge": "static"}
    )  # {"judge_base_url": "http://…/v1", "judge_model": "…"} for a real one
    out.mkdir(parents=True, exist_ok=True)

    run = judge_answers(suite, answers, settings, out)

    if run.result.withheld:  # never read a rate without asking this first
        print("no score:", run.result.withheld)
        return
    score = run.result.summary.score
    print(f"score {score.estimate:.3f} [{score.low:.3f}, {score.high:.3f}], n={score.n}")
    print(run.result.manifest["judge"]["notice"])
    for row in run.result.strata["class"]:
        print(f"  {row.name}: n={row.summary.n_prompts}, wins {row.summary.win_rate.estimate:.2f}")


if __name__ == "__main__":
    main()

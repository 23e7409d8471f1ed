"""The rows of CodeArena, for ``dataset_abbrs`` of a summarizer of one's own."""

codearena_rows = [
    ["codearena", "score"],
    ["codearena", "score_low"],
    ["codearena", "score_high"],
    ["codearena", "win_rate"],
    ["codearena", "tie_rate"],
    ["codearena", "loss_rate"],
    ["codearena", "order_consistency"],
    ["codearena", "coverage"],
    ["codearena", "n_scored"],
]

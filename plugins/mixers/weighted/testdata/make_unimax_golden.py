"""Writes unimax.json: budgets of UniMax by the pseudocode of its paper, for made and random sizes.

    python3 make_unimax_golden.py > unimax.json

Algorithm 1 of Chung et al. 2023, "UniMax: Fairer and more effective language sampling for large-scale multilingual pretraining",
arXiv:2304.09151, line for line. Python's standard library alone (3.11); numbers are printed so that they read back the same.
"""

import json
import random


def unimax(counts, total_budget, max_epochs):
    languages = sorted(counts, key=lambda language: counts[language])  # stable, as the paper's order among equals is open
    remaining_budget = total_budget
    budgets = {}
    for index, language in enumerate(languages):
        budget = remaining_budget / (len(languages) - index)
        if budget > counts[language] * max_epochs:
            budgets[language] = counts[language] * max_epochs
        else:
            budgets[language] = budget
        remaining_budget -= budgets[language]
    total = sum(budgets.values())
    return budgets, {language: budgets[language] / total for language in languages}


def case(counts, total_budget, max_epochs):
    named = {f"d{i}": count for i, count in enumerate(counts)}
    budgets, shares = unimax(named, total_budget, max_epochs)
    return {"tokens": counts, "budget": total_budget, "max_epochs": max_epochs,
            "budgets": [budgets[name] for name in named], "shares": [shares[name] for name in named]}


def main():
    rng = random.Random(2304)
    cases = [
        case([100, 100, 100], 300, 1.0),
        case([10, 1000, 100000], 30000, 4.0),
        case([10, 1000, 100000], 1000000, 1.0),  # everything at its cap
        case([7], 1000, 5.0),
        case([1, 1, 1, 1000000], 4, 0.25),
    ]
    for _ in range(60):
        counts = [int(10 ** rng.uniform(0, 11)) for _ in range(rng.randint(1, 30))]
        cases.append(case(counts, int(10 ** rng.uniform(2, 12)), rng.choice([1.0, 2.0, 4.0, 5.0, 10.0, 0.5])))
    print(json.dumps({"source": "arXiv:2304.09151, algorithm 1", "cases": cases}))


if __name__ == "__main__":
    main()

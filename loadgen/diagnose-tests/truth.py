"""Compares an answer with the truth."""

RIGHT, INCONCLUSIVE, WRONG = "right", "inconclusive", "WRONG"
# The exit code of a run that proves nothing, for example because loadgen itself was late.
INVALID = 3


def judge(truth, answer):
    """RIGHT, INCONCLUSIVE, WRONG (at high confidence), or `wrong, medium` and the like."""
    if any(agrees(one, answer) for one in [truth, *truth.get("or", [])]) and exits_as_it_says(answer):
        return RIGHT
    if answer["kind"] == "inconclusive" or answer["exit_code"] == INVALID:
        return INCONCLUSIVE
    confidence = answer.get("confidence", "high")
    return WRONG if confidence == "high" else f"wrong, {confidence}"


def agrees(truth, answer):
    """Kind, form and limit are as in the truth, as far as it names them."""
    if truth["kind"] != answer["kind"] or truth.get("form", answer.get("form")) != answer.get("form"):
        return False
    limit = truth.get("limit")
    return limit is None or abs((answer.get("limit") or 0) - limit) <= truth.get("within", 1)


def exits_as_it_says(answer):
    """0 without a collapse, 1 with one, and 3 where nothing can be concluded."""
    return answer["exit_code"] == {"none_found": 0, "inconclusive": INVALID}.get(answer["kind"], 1)


def described(one):
    """`thread_pool_held (inner_pool) 40, high` of a truth or an answer."""
    text = one["kind"] + (f" ({one['form']})" if one.get("form") else "")
    text += f" {one['limit']}" if one.get("limit") is not None else ""
    text += f", {one['confidence']}" if one.get("confidence") else ""
    text += f": {one['said']}" if one.get("said") else ""
    return text + "".join(" or " + described(other) for other in one.get("or", []))

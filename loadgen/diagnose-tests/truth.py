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
    found = answer.get("limit")
    return limit is None or (found is not None and abs(found - limit) <= truth.get("within", 1))


def exits_as_it_says(answer):
    """0 where none is found, 3 where it is not known whether there is a collapse, else 1; without an answer, not 0."""
    if answer["kind"] == "no answer":
        # A server that did not start, or a diagnosis that was cut off, has no exit code.
        return answer["exit_code"] not in (None, 0)
    if answer["kind"] == "inconclusive":
        # A collapse of an unknown cause is a collapse.
        return answer["exit_code"] == (INVALID if answer.get("streams_at_collapse") is None else 1)
    return answer["exit_code"] == (0 if answer["kind"] == "none_found" else 1)


def described(one):
    """`thread_pool_held (inner_pool) 40, high` of a truth or an answer."""
    text = one["kind"] + (f" ({one['form']})" if one.get("form") else "")
    text += f" {one['limit']}" if one.get("limit") is not None else ""
    text += f", {one['confidence']}" if one.get("confidence") else ""
    text += f": {one['said']}" if one.get("said") else ""
    return text + "".join(" or " + described(other) for other in one.get("or", []))

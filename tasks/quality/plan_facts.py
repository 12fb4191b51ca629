"""What the plan says of each utterance, checked in SQL: roles, and the items it must name."""

from __future__ import annotations

from typing import Final

from tasks.judge import FAULT_KINDS

_ANY_FAULT: Final = " OR ".join(f"f.judge_{kind} > 0" for kind in FAULT_KINDS)
_FAULTS: Final = ", ".join(f"sum(judge_{kind}) AS judge_{kind}" for kind in FAULT_KINDS)

# $attempt: the attempt judged. One row per dialogue to judge, in the order of briefs.
QUEUE: Final = """
CREATE OR REPLACE TEMP TABLE fact_queue AS
SELECT
    dialogue_id,
    attempt,
    briefs.user_id,
    briefs.template_id,
    row_number() OVER (ORDER BY brief_order, dialogue_id) - 1 AS place
FROM dialogues
JOIN briefs USING (dialogue_id)
WHERE attempt = $attempt
"""

# One row per queued dialogue: its items by slot, its titles with the longest first, and the turn in
# which the item to be recommended is due.
BRIEFED: Final = """
CREATE OR REPLACE TEMP TABLE briefed AS
WITH slots AS (
    SELECT place, template_id, slot, item_id, title, collection
    FROM brief_items
    JOIN fact_queue USING (dialogue_id)
), targets AS (
    SELECT
        slots.place,
        min(turns.turn) AS target_turn,
        arg_min(slots.item_id, turns.turn) AS target_item
    FROM slots
    JOIN template_turns turns
      ON turns.template_id = slots.template_id
     AND list_contains(turns.introduces, slots.slot)
    WHERE slots.collection = 'MIGHT_LIKES'
    GROUP BY slots.place
), filled AS (
    SELECT
        place,
        map(list(slot ORDER BY slot), list(item_id ORDER BY slot)) AS item_of,
        map(list(slot ORDER BY slot), list(collection ORDER BY slot)) AS collection_of,
        list(title ORDER BY length(title) DESC, title) AS titles
    FROM slots
    GROUP BY place
)
SELECT filled.*, target_turn, target_item
FROM filled
LEFT JOIN targets USING (place)
ORDER BY place
"""

# One row per utterance of the dialogues queued from $from up to $until, with the items it must
# name, may name and wrongly names.
MEASURED: Final = """
WITH chunk AS (
    SELECT * FROM fact_queue WHERE place >= $from AND place < $until
), items_due AS (
    SELECT * FROM briefed WHERE place >= $from AND place < $until
), said AS (
    SELECT chunk.place, chunk.template_id, chunk.user_id, u.*
    FROM utterances u
    JOIN chunk USING (dialogue_id, attempt)
), plans AS (
    SELECT
        template_id,
        turn,
        role,
        introduces,
        list_concat(introduces, refers) AS due,
        max(list_max(introduces)) OVER (PARTITION BY template_id ORDER BY turn) AS talked_about
    FROM template_turns
), planned AS (
    SELECT
        said.*,
        plans.turn IS NOT NULL AS planned,
        plans.role AS role_planned,
        titles,
        collection_of[plans.talked_about] AS collection,
        item_of[plans.talked_about] AS subject,
        coalesce(said.turn < target_turn, false) AS is_before_target,
        list_transform(plans.introduces, lambda slot: item_of[slot]) AS must,
        list_transform(plans.due, lambda slot: item_of[slot]) AS may,
        CASE WHEN said.turn < target_turn THEN target_item END AS target_to_come
    FROM said
    LEFT JOIN plans ON plans.template_id = said.template_id AND plans.turn = said.turn
    LEFT JOIN items_due ON items_due.place = said.place
), measured AS (
    SELECT
        *,
        CASE
            WHEN planned THEN list_filter(must, lambda item: NOT list_contains(item_ids, item))
            ELSE []
        END AS missing,
        CASE
            WHEN planned THEN list_filter(
                item_ids,
                lambda item: NOT list_contains(may, item) AND item IS DISTINCT FROM target_to_come
            )
            ELSE []
        END AS foreigners
    FROM planned
)
"""

# What the sub-goals of each turn of a template ask for: an opinion, one that depends on the item's
# collection, a decision.
EXPECTED: Final = """
CREATE OR REPLACE TEMP TABLE expected_by_turn AS
SELECT
    template_id,
    turn,
    CASE
        WHEN list_has_any(goals, $likes) THEN 'LIKES'
        WHEN list_has_any(goals, $dislikes) THEN 'DISLIKES'
    END AS opinion,
    list_has_any(goals, $by_collection) AS by_collection,
    CASE
        WHEN list_has_any(goals, $accepts) THEN 'accept'
        WHEN list_has_any(goals, $rejects) THEN 'reject'
    END AS decision,
    list_has_any(goals, $asks) AS asks,
    list_has_any(goals, $requests) AS requests,
    list_has_any(goals, $thanks) AS thanks,
    list_has_any(goals, $tells) AS tells
FROM template_turns
"""

# `bare` is the text without the brief's own titles, whose words say nothing about the speaker. A
# title counts as one word: the writer wrote a placeholder, or had no choice in how long it is.
UTTERANCES: Final = f"""{MEASURED}
SELECT
    place,
    dialogue_id,
    attempt,
    turn,
    role,
    text,
    list_reduce(
        list_prepend(text, coalesce(titles, [])), lambda bare, title: replace(bare, title, '~')
    ) AS bare,
    (words - len(string_split(text, ' ')) + len(string_split(bare, ' ')))::INTEGER AS words,
    subject,
    is_before_target,
    asks,
    requests,
    thanks,
    tells,
    role != coalesce(role_planned, CASE WHEN turn % 2 = 1 THEN 'user' ELSE 'agent' END)
        AS role_error,
    len(missing)::INTEGER AS missing_items,
    len(foreigners)::INTEGER AS foreign_items,
    coalesce(list_contains(item_ids, target_to_come), false) AS early_target,
    coalesce(opinion, CASE WHEN by_collection THEN collection END) AS opinion,
    decision,
    length(user_id) >= 6 AND contains(text, user_id) AS names_user,
    coalesce(COLUMNS(judge_faults.* EXCLUDE (dialogue_id, turn)), 0)
FROM measured
LEFT JOIN expected_by_turn USING (template_id, turn)
LEFT JOIN judge_faults USING (dialogue_id, turn)
ORDER BY place, turn
"""

# The titles of some dialogues' own items.
TITLES: Final = """
SELECT place, title
FROM brief_items
JOIN fact_queue USING (dialogue_id)
WHERE place IN (SELECT unnest($places))
"""

TITLES_WITHIN: Final = """
SELECT place, title
FROM brief_items
JOIN fact_queue USING (dialogue_id)
WHERE place >= $from AND place < $until
"""

# The same utterances with what the evidence shows: titles of the items missing and of those wrongly
# named, and all facts.
EVIDENCE: Final = f"""{MEASURED}
, named AS (
    SELECT item_id, title
    FROM items
    WHERE item_id IN (SELECT unnest(list_concat(missing, item_ids)) FROM measured)
), called AS (
    SELECT map(list(item_id), list(title)) AS title_of FROM named
)
SELECT
    dialogue_id,
    turn,
    role,
    text,
    coalesce(titles, []) AS titles,
    list_transform(missing, lambda item: coalesce(title_of[item], item)) AS missing,
    list_transform(foreigners, lambda item: coalesce(title_of[item], item)) AS foreigners,
    coalesce(title_of[target_to_come], target_to_come, '') AS target_to_come,
    f.* EXCLUDE (dialogue_id, attempt, turn)
FROM measured
CROSS JOIN called
JOIN utterance_facts f USING (dialogue_id, attempt, turn)
JOIN dialogues d USING (dialogue_id, attempt)
WHERE turn = d.utterances
   OR f.words > $most_words
   OR f.garbled
   OR f.template_left
   OR f.empty
   OR f.role_error
   OR f.missing_items > 0
   OR f.foreign_items > 0
   OR f.unknown_titles > 0
   OR f.early_target
   OR f.sentiment_error
   OR f.decision_error
   OR f.copied_words > 0
   OR f.wording_leak
   OR f.personal_data
   OR f.foreign_language
   OR f.near_copied_words > 0
   OR f.unsupported_names > 0
   OR f.unsupported_facts > 0
   OR f.unsupported_details > 0
   OR f.other_works > 0
   OR f.chatbot_habit
   OR f.wrong_speaker
   OR f.goal_missed
   OR f.target_hint > 0
   OR f.self_contradiction
   OR {_ANY_FAULT}
   OR f.target_nearness > 0
   OR f.target_allusion > 0
   OR f.far_claims > 0
ORDER BY dialogue_id, turn
"""

REVIEWS: Final = """
WITH drawn AS (
    SELECT
        place,
        collection = 'MIGHT_LIKES' AS of_target,
        unnest([user_review_id, other_review_id]) AS review_id
    FROM brief_items
    JOIN fact_queue USING (dialogue_id)
    WHERE place >= $from AND place < $until
)
SELECT place, text, of_target
FROM drawn
JOIN reviews USING (review_id)
"""

# What people wrote about the items of some dialogues, whether or not it was drawn for them.
ITEM_REVIEWS: Final = """
WITH wanted AS (
    SELECT unnest($places) AS place
), items AS (
    SELECT DISTINCT place, item_id
    FROM wanted
    JOIN fact_queue USING (place)
    JOIN brief_items USING (dialogue_id)
)
SELECT place, text
FROM items
JOIN reviews USING (item_id)
"""

DIALOGUES: Final = f"""
INSERT INTO dialogue_facts BY NAME
WITH planned AS (
    SELECT template_id, count(*) AS turns FROM template_turns GROUP BY template_id
), judged AS (
    SELECT dialogue_id, attempt, complete, utterances, fact_queue.place, planned.turns
    FROM fact_queue
    JOIN dialogues USING (dialogue_id, attempt)
    JOIN planned ON planned.template_id = fact_queue.template_id
), summed AS (
    SELECT
        dialogue_id,
        attempt,
        count_if(garbled) AS garbled,
        count_if(template_left) AS template_left,
        max(words) AS longest_words,
        count_if(empty) AS empty_turns,
        count_if(role_error) AS role_errors,
        sum(missing_items) AS missing_items,
        sum(foreign_items) AS foreign_items,
        sum(unknown_titles) AS unknown_titles,
        count_if(early_target) AS early_targets,
        count_if(sentiment_error) AS sentiment_errors,
        count_if(decision_error) AS decision_errors,
        max(copied_words) AS copied_words,
        count_if(wording_leak) AS wording_leaks,
        count_if(personal_data) AS personal_data,
        count_if(foreign_language) AS foreign_turns,
        max(near_copied_words) AS near_copied_words,
        sum(unsupported_names) AS unsupported_names,
        sum(unsupported_facts) AS unsupported_facts,
        sum(unsupported_details) AS unsupported_details,
        sum(other_works) AS other_works,
        count_if(chatbot_habit) AS chatbot_habits,
        count_if(wrong_speaker) AS wrong_speakers,
        count_if(goal_missed) AS goals_missed,
        max(target_hint) AS target_hints,
        count_if(self_contradiction) AS self_contradictions,
        {_FAULTS},
        max(target_nearness) AS target_nearness,
        max(target_allusion) AS target_allusion,
        sum(far_claims) AS far_claims
    FROM utterance_facts
    WHERE attempt = $attempt
    GROUP BY dialogue_id, attempt
)
SELECT
    judged.dialogue_id,
    judged.attempt,
    complete,
    utterances,
    utterances - turns AS length_difference,
    (near.other_id IS NOT NULL)::INTEGER AS near_duplicates,
    coalesce(read.has_verdict, false)::INTEGER AS judged,
    coalesce(NOT read.has_verdict, false)::INTEGER AS judge_unread,
    coalesce(COLUMNS(summed.* EXCLUDE (dialogue_id, attempt)), 0)
FROM judged
LEFT JOIN summed USING (dialogue_id, attempt)
LEFT JOIN near_duplicates near USING (place)
LEFT JOIN judge_read read USING (dialogue_id)
ORDER BY judged.place
"""

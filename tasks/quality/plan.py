"""What the plan says of each utterance, checked in SQL: role, and items named against items due."""

from __future__ import annotations

from typing import Final

# $attempt: the attempt judged. One row per dialogue to judge, in the order of briefs.
QUEUE: Final = """
CREATE OR REPLACE TEMP TABLE fact_queue AS
SELECT dialogue_id, attempt, briefs.template_id, row_number() OVER (ORDER BY brief_order, dialogue_id) - 1 AS place
FROM dialogues
JOIN briefs USING (dialogue_id)
WHERE attempt = $attempt
"""

# One row per utterance of the dialogues from $from up to $until, with the text and all that is judged by plan alone.
UTTERANCES: Final = """
WITH chunk AS (
    SELECT * FROM fact_queue WHERE place >= $from AND place < $until
), said AS (
    SELECT chunk.place, chunk.template_id, u.*,
           lag(u.role) OVER (PARTITION BY chunk.place ORDER BY u.turn) AS role_before
    FROM utterances u
    JOIN chunk USING (dialogue_id, attempt)
), slots AS (
    SELECT dialogue_id, slot, item_id, collection FROM brief_items WHERE dialogue_id IN (SELECT dialogue_id FROM chunk)
), filled AS (
    SELECT dialogue_id, map(list(slot ORDER BY slot), list(item_id ORDER BY slot)) AS item_of,
           map(list(slot ORDER BY slot), list(collection ORDER BY slot)) AS collection_of
    FROM slots
    GROUP BY dialogue_id
), plans AS (
    SELECT template_id, turn, role, introduces, list_concat(introduces, refers) AS due,
           max(list_max(introduces)) OVER (PARTITION BY template_id ORDER BY turn) AS talked_about
    FROM template_turns
), target AS (
    SELECT chunk.dialogue_id, min(plans.turn) AS target_turn, any_value(slots.item_id) AS target_item
    FROM chunk
    JOIN slots ON slots.dialogue_id = chunk.dialogue_id AND slots.collection = 'MIGHT_LIKES'
    JOIN plans ON plans.template_id = chunk.template_id AND list_contains(plans.introduces, slots.slot)
    GROUP BY chunk.dialogue_id
), measured AS (
    SELECT said.*, plans.turn IS NOT NULL AS planned, plans.role AS role_planned, target.target_item, target.target_turn,
           filled.collection_of[plans.talked_about] AS collection,
           list_transform(plans.introduces, lambda slot: filled.item_of[slot]) AS must,
           list_transform(plans.due, lambda slot: filled.item_of[slot]) AS may
    FROM said
    LEFT JOIN plans ON plans.template_id = said.template_id AND plans.turn = said.turn
    LEFT JOIN filled ON filled.dialogue_id = said.dialogue_id
    LEFT JOIN target ON target.dialogue_id = said.dialogue_id
)
SELECT place, dialogue_id, attempt, turn, text, goals, collection, words,
       coalesce(role NOT IN ('user', 'agent') OR role != role_planned OR (turn = 1 AND role != 'user'), false)
       OR coalesce(role = role_before, false) AS role_error,
       CASE WHEN planned THEN len(list_filter(must, lambda item: NOT list_contains(item_ids, item))) ELSE 0 END::INTEGER AS missing_items,
       CASE WHEN planned
            THEN len(list_filter(item_ids, lambda item: NOT list_contains(may, item) AND NOT (turn < target_turn AND item = target_item)))
            ELSE 0 END::INTEGER AS foreign_items,
       coalesce(turn < target_turn AND list_contains(item_ids, target_item), false) AS early_target
FROM measured
ORDER BY place, turn
"""

DIALOGUES: Final = """
INSERT INTO dialogue_facts BY NAME
WITH planned AS (
    SELECT template_id, count(*) AS turns FROM template_turns GROUP BY template_id
), judged AS (
    SELECT dialogue_id, attempt, complete, utterances, fact_queue.place, planned.turns
    FROM fact_queue
    JOIN dialogues USING (dialogue_id, attempt)
    JOIN planned ON planned.template_id = fact_queue.template_id
), summed AS (
    SELECT dialogue_id, attempt,
           count_if(garbled) AS garbled, count_if(template_left) AS template_left, max(words) AS longest_words,
           count_if(empty) AS empty_turns, count_if(role_error) AS role_errors,
           sum(missing_items) AS missing_items, sum(foreign_items) AS foreign_items,
           count_if(early_target) AS early_targets, count_if(sentiment_error) AS sentiment_errors,
           count_if(decision_error) AS decision_errors, max(copied_words) AS copied_words, count_if(wording_leak) AS wording_leaks,
           count_if(personal_data) AS personal_data, count_if(foreign_language) AS foreign_turns
    FROM utterance_facts
    WHERE attempt = $attempt
    GROUP BY dialogue_id, attempt
)
SELECT judged.dialogue_id, judged.attempt, complete, utterances, utterances - turns AS length_difference,
       coalesce(garbled, 0) AS garbled, coalesce(template_left, 0) AS template_left, coalesce(longest_words, 0) AS longest_words,
       coalesce(empty_turns, 0) AS empty_turns, coalesce(role_errors, 0) AS role_errors, coalesce(missing_items, 0) AS missing_items,
       coalesce(foreign_items, 0) AS foreign_items, coalesce(early_targets, 0) AS early_targets,
       coalesce(sentiment_errors, 0) AS sentiment_errors, coalesce(decision_errors, 0) AS decision_errors,
       coalesce(copied_words, 0) AS copied_words, coalesce(wording_leaks, 0) AS wording_leaks,
       coalesce(personal_data, 0) AS personal_data, coalesce(foreign_turns, 0) AS foreign_turns,
       coalesce(near.near_duplicates, 0) AS near_duplicates
FROM judged
LEFT JOIN summed USING (dialogue_id, attempt)
LEFT JOIN near_duplicates near USING (place)
ORDER BY judged.place
"""

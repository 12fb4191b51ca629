-- The tables of a warehouse as commit 7f815ea made them.
CREATE TABLE raw_reviews (
    review_id VARCHAR USING COMPRESSION uncompressed,
    user_id VARCHAR USING COMPRESSION uncompressed,
    item_id VARCHAR USING COMPRESSION uncompressed,
    rating DOUBLE,
    text VARCHAR USING COMPRESSION uncompressed,
    timestamp BIGINT,
    source_file VARCHAR USING COMPRESSION uncompressed,
    source_line BIGINT
);
CREATE TABLE rejected_rows (
    source_file VARCHAR,
    source_line BIGINT,
    kind VARCHAR,
    detail VARCHAR
);
CREATE TABLE items (
    item_id VARCHAR,
    title VARCHAR,
    title_original VARCHAR,
    work_id VARCHAR
);
CREATE TABLE reviews (
    review_id VARCHAR USING COMPRESSION uncompressed,
    user_id VARCHAR USING COMPRESSION uncompressed,
    item_id VARCHAR USING COMPRESSION uncompressed,
    rating DOUBLE,
    text VARCHAR USING COMPRESSION uncompressed,
    words INTEGER,
    timestamp BIGINT,
    source_order BIGINT,
    core BOOLEAN
);
CREATE TABLE preferences (
    user_id VARCHAR,
    item_id VARCHAR,
    collection VARCHAR,
    position INTEGER,
    rating DOUBLE,
    timestamp BIGINT,
    review_id VARCHAR
);
CREATE TABLE template_turns (
    template_id VARCHAR,
    recommendations INTEGER,
    turn INTEGER,
    role VARCHAR,
    goals VARCHAR[],
    introduces INTEGER[],
    refers INTEGER[]
);
CREATE TABLE template_slots (
    template_id VARCHAR,
    slot INTEGER,
    collection VARCHAR,
    user_review BOOLEAN,
    other_review BOOLEAN
);
CREATE TABLE briefs (
    dialogue_id VARCHAR,
    user_id VARCHAR,
    position INTEGER,
    target_item_id VARCHAR,
    template_id VARCHAR,
    recommendations INTEGER,
    turns INTEGER,
    brief_order BIGINT
);
CREATE TABLE brief_items (
    dialogue_id VARCHAR,
    slot INTEGER,
    item_id VARCHAR,
    title VARCHAR,
    collection VARCHAR,
    user_review_id VARCHAR,
    other_review_id VARCHAR
);
CREATE TABLE responses (
    request_key VARCHAR,
    dialogue_id VARCHAR,
    attempt INTEGER,
    model VARCHAR,
    api_base VARCHAR,
    text VARCHAR,
    finish_reason VARCHAR,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    cost_usd DOUBLE,
    latency_s DOUBLE,
    model_returned VARCHAR,
    provider_id VARCHAR,
    retries INTEGER,
    run_id VARCHAR,
    asked_at TIMESTAMP,
    batch_id VARCHAR
);
CREATE TABLE transcripts (
    dialogue_id VARCHAR,
    attempt INTEGER,
    status VARCHAR,
    text VARCHAR,
    finish_reason VARCHAR,
    error VARCHAR,
    request_keys VARCHAR[],
    profile VARCHAR,
    rollout VARCHAR,
    run_id VARCHAR
);
CREATE TABLE dialogues (
    dialogue_id VARCHAR,
    attempt INTEGER,
    user_id VARCHAR,
    template_id VARCHAR,
    utterances INTEGER,
    complete BOOLEAN,
    parse_error VARCHAR,
    finish_reason VARCHAR
);
CREATE TABLE utterances (
    dialogue_id VARCHAR,
    attempt INTEGER,
    turn INTEGER,
    role VARCHAR,
    text VARCHAR,
    goals VARCHAR[],
    item_ids VARCHAR[],
    words INTEGER
);
CREATE TABLE dialogue_facts (
    dialogue_id VARCHAR,
    attempt INTEGER,
    complete BOOLEAN,
    utterances INTEGER,
    length_difference INTEGER,
    garbled INTEGER,
    template_left INTEGER,
    longest_words INTEGER,
    empty_turns INTEGER,
    role_errors INTEGER,
    missing_items INTEGER,
    foreign_items INTEGER,
    unknown_titles INTEGER,
    early_targets INTEGER,
    sentiment_errors INTEGER,
    decision_errors INTEGER,
    copied_words INTEGER,
    wording_leaks INTEGER,
    personal_data INTEGER,
    foreign_turns INTEGER,
    near_duplicates INTEGER
);
CREATE TABLE utterance_facts (
    dialogue_id VARCHAR,
    attempt INTEGER,
    turn INTEGER,
    words INTEGER,
    garbled BOOLEAN,
    template_left BOOLEAN,
    empty BOOLEAN,
    role_error BOOLEAN,
    missing_items INTEGER,
    foreign_items INTEGER,
    unknown_titles INTEGER,
    early_target BOOLEAN,
    sentiment_error BOOLEAN,
    decision_error BOOLEAN,
    copied_words INTEGER,
    wording_leak BOOLEAN,
    personal_data BOOLEAN,
    foreign_language BOOLEAN
);
CREATE TABLE rejections (
    dialogue_id VARCHAR,
    attempt INTEGER,
    rule VARCHAR,
    severity VARCHAR,
    turn INTEGER,
    evidence VARCHAR
);
CREATE TABLE verdicts (
    dialogue_id VARCHAR,
    verdict VARCHAR,
    attempt INTEGER
);
CREATE TABLE releases (
    version VARCHAR,
    run_id VARCHAR,
    config_hash VARCHAR,
    code_version VARCHAR,
    dialogues BIGINT,
    made_at TIMESTAMP
);
CREATE TABLE released_dialogues (
    version VARCHAR,
    dialogue_id VARCHAR,
    attempt INTEGER
);
CREATE TABLE stages (
    stage VARCHAR,
    input_hash VARCHAR,
    output_hash VARCHAR,
    rows BIGINT,
    tables VARCHAR[],
    run_id VARCHAR,
    finished_at TIMESTAMP
);
CREATE TABLE runs (
    run_id VARCHAR,
    flow_run_id VARCHAR,
    flow VARCHAR,
    config_hash VARCHAR,
    config VARCHAR,
    code_version VARCHAR,
    sources VARCHAR,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    state VARCHAR,
    counts VARCHAR
);

-- A database as version 1 of the schema left it, with two users, an organization, its member and a session.
PRAGMA application_id = 0x746f7269;
PRAGMA user_version = 1;

CREATE TABLE environments (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    email TEXT,
    email_folded TEXT,
    email_verified_at INTEGER,
    password_hash TEXT,
    first_name TEXT,
    last_name TEXT,
    name_folded TEXT,
    locale TEXT,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    public_metadata TEXT NOT NULL,
    private_metadata TEXT NOT NULL,
    unsafe_metadata TEXT NOT NULL,
    legacy TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_environment ON users (environment_id, id);
CREATE UNIQUE INDEX users_by_email ON users (environment_id, email_folded) WHERE status <> 'deleted';

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    name TEXT NOT NULL,
    slug TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (environment_id, slug)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    role_name TEXT,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    environment_id TEXT NOT NULL,
    user_agent TEXT,
    ip_address TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    active_organization_id TEXT,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

INSERT INTO environments VALUES (0, '01931a72-0000-7000-8000-000000000000');
INSERT INTO users VALUES (
    '01931a73-8b00-7000-8000-000000000001', '01931a72-0000-7000-8000-000000000000', 'Ada@example.com',
    'ada@example.com', 1747387800000000, NULL, 'Ada', 'Lovelace', 'ada lovelace', 'da', 'active',
    1747387800000000, 1747387800000001, NULL, '{"plan":"free"}', '{}', '{}', '{"phone":"1234"}'
);
INSERT INTO users VALUES (
    '01931a73-8b00-7000-8000-000000000002', '01931a72-0000-7000-8000-000000000000', NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'active',
    1747387800000000, 1747387800000000, NULL, '{}', '{}', '{}', '{}'
);
INSERT INTO organizations VALUES (
    '01931a74-0000-7000-8000-000000000001', '01931a72-0000-7000-8000-000000000000', 'BLÅBÆR ApS', 'blaabaer',
    1747387800000000
);
INSERT INTO memberships VALUES (
    '01931a74-0000-7000-8000-000000000001', '01931a73-8b00-7000-8000-000000000001', 'org:administrator',
    'Administrator', 1747387800000000
);
INSERT INTO sessions VALUES (
    '01931a75-0000-7000-8000-000000000001', '01931a73-8b00-7000-8000-000000000001',
    '01931a72-0000-7000-8000-000000000000', 'curl/8', '203.0.113.42', 1747387800000000, 4102444800000000,
    1747387800000000, '01931a74-0000-7000-8000-000000000001', NULL
);

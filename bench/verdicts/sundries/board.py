"""A message board: accents, several character sets, long bodies, binary and text keys, documents."""

from families import Families
from queries import pick

from .boxoffice import cut

family = Families()


def slug(d): return (lambda n: f"{('News', 'news', 'help', 'Off-Topic')[n % 4]}-{n}")(d.randrange(60))
def some(d, t): return pick(d, "", f" WHERE {t}.thread LIKE '{pick(d, 'News', 'help', 'news')}%'", f" WHERE {t}.likes = {d.randrange(-2, 6)}", f" WHERE {t}.author = '{pick(d, 'zoe', 'Müller', 'ore', 'STRASSE', 'елка', 'とうきょう')}'", f" WHERE {t}.mood = 'glad'", f" WHERE {t}.nick IN ('cafe', 'PLAIN')",
                           f" WHERE {t}.posted BETWEEN '2024-03-0{d.randrange(1, 4)}' AND '2024-03-0{d.randrange(4, 8)} 12:00:00.250'", f" WHERE {t}.meta IS NOT NULL", f" WHERE {t}.author IS NULL")


@family
def thread_page(d, t): return f"SELECT {pick(d, t + '.*', 'HEX(uid), author, posted', 'author, nick, mood', 'body')} FROM messages {t} WHERE {t}.thread = '{slug(d)}' ORDER BY {t}.{pick(d, 'posted', 'posted DESC', 'likes DESC', 'author', 'nick', 'uid')}" + pick(d, "", cut(d))
@family
def board_index(d, t): return f"SELECT {pick(d, t + '.*', t + '.slug', t + '.title, ' + t + '.views')} FROM threads {t} ORDER BY {t}.pinned DESC, {t}.{pick(d, 'last_at DESC', 'views DESC', 'title', 'slug')}" + cut(d)
@family
def slugs_after(d, t): return f"SELECT {t}.slug, {t}.title FROM threads {t} WHERE {t}.slug > '{slug(d)}' ORDER BY {t}.slug{pick(d, '', ' DESC')} LIMIT {d.randrange(1, 20)}"
@family
def by_author(d, t): return f"SELECT {pick(d, 'uid, author', 'author, likes', 'posted')} FROM messages {t}" + some(d, t) + f" ORDER BY {pick(d, 'author', 'author DESC, posted', 'nick', 'mood', 'body', 'nick, author')}" + pick(d, "", cut(d))
@family
def long_bodies(d, t): return f"SELECT {pick(d, 'uid, RIGHT(long_body, 12)', 'long_body', 'HEX(uid)')} FROM messages {t}" + some(d, t) + " ORDER BY long_body" + pick(d, "", " DESC", " LIMIT 30", " LIMIT 5 OFFSET 100")
@family
def by_what(d, t): return f"SELECT {t}.uid, {t}.author, {t}.likes FROM messages {t}" + some(d, t) + " ORDER BY " + pick(d, "BINARY author", "author COLLATE utf8mb4_bin", "author COLLATE utf8mb4_unicode_ci DESC", "HEX(uid)", "NULL", "FIELD(mood, 'sad', 'glad')", "author IS NULL, author", "LENGTH(body)", "CHAR_LENGTH(author), likes", "likes * -1", "LOWER(nick)", "REVERSE(nick)", "CONCAT(mood, nick)",
                                        "CAST(nick AS BINARY)", "CONVERT(nick USING utf8mb4)", "DATE(posted), likes", "posted + INTERVAL likes MINUTE", "IFNULL(author, nick)", "2, 3", "-likes", "UNHEX(HEX(nick))", "(likes, author IS NULL) = (1, 0)", "likes MOD 3, author", "SUBSTRING(uid, 1, 1)", "ORD(author)", "SOUNDEX(nick)") + pick(d, "", cut(d))
@family
def authors(d, t): return f"SELECT {t}.{pick(d, 'author', 'nick', 'mood', 'body')} AS g, COUNT(*) AS n, MAX({t}.posted), MIN({t}.nick), SUM({t}.likes) FROM messages {t}" + some(d, t) + " GROUP BY g" + pick(d, "", " ORDER BY g", " ORDER BY n DESC", " ORDER BY n DESC LIMIT 4", " ORDER BY n DESC, g LIMIT 5", " HAVING n > 20")
@family
def distinct_authors(d, t): return f"SELECT DISTINCT {pick(d, 'author', 'nick', 'author, mood', 'thread, mood', 'nick COLLATE latin1_bin', 'LOWER(author)')} FROM messages {t}" + some(d, t) + pick(d, "", " ORDER BY 1", " LIMIT 5", " ORDER BY 1 LIMIT 3, 4", " ORDER BY likes")
@family
def counts(d, t): return f"SELECT COUNT(DISTINCT author), COUNT(DISTINCT nick, mood), COUNT(DISTINCT thread), COUNT(author), SUM(DISTINCT likes), MAX(author), MIN(nick) FROM messages {t}" + some(d, t)
@family
def names_of_all(d, t): return f"SELECT {t}.name FROM v_names {t}" + pick(d, "", " ORDER BY name", " LIMIT 7", f" WHERE {t}.name LIKE 's%'", " ORDER BY name DESC LIMIT 5")
@family
def recent(d, t): return f"SELECT {pick(d, '*', 'thread, COUNT(*)', 'author, likes', 'MAX(posted), SUM(likes)')} FROM v_recent {t}".replace("thread, COUNT(*)", "thread") + pick(d, "", " WHERE likes > 2") + pick(d, "", "", " LIMIT 3")
@family
def threads_with_last(d, t): return f"SELECT {t}.slug, m.author, m.posted FROM threads {t} JOIN messages m ON m.thread = {t}.slug JOIN (SELECT thread, MAX(posted) AS last FROM messages GROUP BY thread) x ON x.thread = m.thread AND x.last = m.posted" + pick(d, "", f" WHERE {t}.slug < 'h'") + pick(d, "", " ORDER BY m.posted DESC", f" ORDER BY {t}.slug", " ORDER BY m.posted DESC LIMIT 8")
@family
def unread(d, t): return f"SELECT {t}.slug, {t}.title FROM threads {t} WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.thread = {t}.slug AND m.likes > {d.randrange(-2, 6)})" + pick(d, "", f" ORDER BY {t}.last_at", f" ORDER BY {t}.views DESC LIMIT 6", " LIMIT 5")
@family
def across_charsets(d, t): return f"SELECT {t}.nick, m.author, {t}.uid FROM messages {t} JOIN messages m ON m.author = {t}.nick WHERE {t}.likes = {d.randrange(-2, 6)} AND m.likes = {d.randrange(-2, 6)} AND m.posted > {t}.posted" + pick(d, "", " ORDER BY m.author", f" ORDER BY {t}.nick, m.posted", cut(d))
@family
def mixed_union(d, t): return f"SELECT {t}.nick AS v FROM messages {t}{some(d, t)} UNION{pick(d, '', ' ALL', ' DISTINCT')} SELECT customer FROM bookings WHERE show_id < {d.randrange(3, 60)} UNION{pick(d, '', ' ALL')} SELECT name FROM folders WHERE place = {d.randrange(5)}" + pick(d, "", " ORDER BY v", " ORDER BY v LIMIT 6", " LIMIT 8")
@family
def parenthesized(d, t): return f"(SELECT {t}.uid, {t}.likes FROM messages {t}{some(d, t)} ORDER BY {t}.likes{pick(d, '', ' DESC')} LIMIT {d.randrange(3, 30)})" + pick(d, "", " LIMIT 3", " ORDER BY likes", " ORDER BY uid LIMIT 4")
@family
def tops_of_both(d, t): return f"(SELECT {t}.author AS who, {t}.posted AS at FROM messages {t} ORDER BY {t}.posted DESC LIMIT {d.randrange(2, 9)}) UNION ALL (SELECT customer, booked_at FROM bookings ORDER BY {pick(d, 'booked_at DESC', 'row_no', 'paid DESC')} LIMIT {d.randrange(2, 9)})" + pick(d, "", " ORDER BY at", " ORDER BY who LIMIT 5")
@family
def documents(d, t): return f"SELECT {t}.uid, {pick(d, t + '.meta', 'JSON_EXTRACT(meta, ' + chr(39) + '$.n' + chr(39) + ')', 'JSON_VALUE(meta, ' + chr(39) + '$.n' + chr(39) + ')', 'JSON_KEYS(meta)', 'JSON_UNQUOTE(JSON_EXTRACT(meta, ' + chr(39) + '$.who.name' + chr(39) + '))', 'JSON_TYPE(JSON_EXTRACT(meta, ' + chr(39) + '$.n' + chr(39) + '))', 'JSON_LENGTH(meta)', 'meta IS NULL')} AS v FROM messages {t} WHERE {t}.thread LIKE '{pick(d, 'News', 'help')}-{d.randrange(1, 6)}%'" + pick(d, "", " ORDER BY likes", " ORDER BY likes LIMIT 6", " ORDER BY uid")
@family
def document_groups(d, t): return f"SELECT JSON_UNQUOTE(JSON_EXTRACT({t}.meta, '$.{pick(d, 'n', 'who.name', 'tags[0]', 'tags[2]')}')) AS g, COUNT(*) AS n FROM messages {t} GROUP BY g" + pick(d, "", " ORDER BY n", " ORDER BY g", " ORDER BY n DESC LIMIT 3")
@family
def document_rows(d, t): return f"SELECT {t}.uid, j.tag, j.place FROM messages {t}, JSON_TABLE({t}.meta, '$.tags[*]' COLUMNS (place FOR ORDINALITY, tag VARCHAR(10) PATH '$')) j WHERE {t}.likes = {d.randrange(-2, 6)}" + pick(d, "", " ORDER BY j.tag", " ORDER BY j.tag, uid, j.place", " ORDER BY j.place LIMIT 7", " LIMIT 5")
@family
def document_search(d, t): return f"SELECT {t}.uid, {t}.posted FROM messages {t} WHERE {pick(d, 'JSON_CONTAINS(meta, ' + chr(39) + '2' + chr(39) + ', ' + chr(39) + '$.n' + chr(39) + ')', 'JSON_EXTRACT(meta, ' + chr(39) + '$.who.ok' + chr(39) + ') = true', 'JSON_SEARCH(meta, ' + chr(39) + 'one' + chr(39) + ', ' + chr(39) + 'a' + chr(39) + ') IS NOT NULL')}" + pick(d, "", " ORDER BY posted", " ORDER BY likes LIMIT 6")
@family
def replies(d, t): return f"SELECT {t}.thread, GROUP_CONCAT({pick(d, 'author', 'nick ORDER BY posted', 'DISTINCT mood', 'DISTINCT nick ORDER BY nick', 'likes ORDER BY likes DESC', 'author ORDER BY author, posted')}) AS l, COUNT(*) FROM messages {t}" + some(d, t) + " GROUP BY thread" + pick(d, "", " ORDER BY thread", " ORDER BY 3 DESC LIMIT 4")
@family
def best_reply(d, t): return f"SELECT {t}.slug, (SELECT m.{pick(d, 'author', 'nick', 'posted', 'likes', 'uid')} FROM messages m WHERE m.thread = {t}.slug ORDER BY m.likes DESC{pick(d, '', ', m.posted', ', m.uid')} LIMIT 1) AS best FROM threads {t}" + pick(d, "", f" WHERE {t}.views > 5") + pick(d, "", f" ORDER BY {t}.slug", " ORDER BY best", " ORDER BY best LIMIT 6")
@family
def ranked_replies(d, t): return f"WITH r AS (SELECT {t}.thread, {t}.uid, {t}.likes, DENSE_RANK() OVER (PARTITION BY {t}.thread ORDER BY {t}.likes DESC) AS place FROM messages {t}) SELECT thread, {pick(d, 'uid', 'likes', 'COUNT(*)')} FROM r WHERE place = 1".replace("COUNT(*)", "place") + pick(d, "", " ORDER BY thread", " ORDER BY likes DESC LIMIT 6")
@family
def tokyo(d, t): return f"SELECT {t}.author, {t}.nick FROM messages {t} WHERE {t}.author {pick(d, '=', '<>', '>', '<=')} '{pick(d, 'トウキョウ', 'ΑΒΓ', 'fine', 'aether', 'Zoë', 'ÅNGSTRÖM')}'" + pick(d, "", " ORDER BY author", " ORDER BY author LIMIT 8")
@family
def one_message(d, t): return f"SELECT * FROM messages {t} WHERE {t}.uid = (SELECT MIN(m.uid) FROM messages m WHERE m.thread = '{slug(d)}')"

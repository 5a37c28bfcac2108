"""What object-relational mappers (Django, Rails, Hibernate, Doctrine) send to a tracker of tickets."""

from families import Families
from queries import pick

family = Families()

STATES = ("'open'", "'new'", "'Done'", "'open', 'new'")
KEYS = ("created_at DESC", "updated_at", "priority DESC", "state", "labels", "closed_on", "estimate", "ratio", "weight", "german", "slug", "title_uni", "ident", "flags", "assignee_id", "subject_lc", "raw_id")


def some(d, t): return pick(d, "", f" WHERE {t}.project_id = {d.randrange(1, 15)}", f" WHERE {t}.state IN ({pick(d, *STATES)})", f" WHERE {t}.priority > {d.randrange(1, 5)}", f" WHERE {t}.assignee_id IS NULL", f" WHERE {t}.id < {d.randrange(40, 900)}")
def cut(d): return f" LIMIT {d.choice((1, 3, 10, 20, 21))}" + pick(d, "", f" OFFSET {20 * d.randrange(4)}")
def order(d, t, n=(1, 1, 2)): return " ORDER BY " + ", ".join(f"{t}.{key}" for key in d.sample(KEYS, d.choice(n)))
def ids(d, width=200):
    n = d.randrange(1400)
    return f"{n} AND {n + d.randrange(10, width)}"


@family
def django_list(d, t): return f"SELECT `{t}`.`id`, `{t}`.`subject`, `{t}`.`state`, `{t}`.`created_at` FROM `tickets` `{t}`" + some(d, t) + order(d, t) + cut(d)
@family
def django_all(d, t): return f"SELECT {t}.* FROM tickets {t}" + some(d, t) + order(d, t) + cut(d)
@family
def django_distinct(d, t): return f"SELECT DISTINCT `{t}`.`{pick(d, 'subject', 'german', 'title_uni', 'labels', 'state')}` FROM `tickets` `{t}`" + some(d, t) + pick(d, "", " ORDER BY 1 ASC", " ORDER BY 1 DESC" + cut(d))
@family
def distinct_join(d, t): return f"SELECT DISTINCT {t}.id, {t}.subject, {t}.priority FROM tickets {t} INNER JOIN events e ON e.ticket_id = {t}.id WHERE e.kind = '{pick(d, 'view', 'edit')}' ORDER BY {t}.priority DESC" + cut(d)
@family
def distinct_by_other(d, t): return f"SELECT DISTINCT {t}.project_id, {t}.state FROM tickets {t} ORDER BY {t}.{pick(d, 'created_at DESC', 'priority', 'slug')}" + pick(d, "", " LIMIT 5")
@family
def count_distinct(d, t): return f"SELECT COUNT(DISTINCT {t}.assignee_id), COUNT(DISTINCT {t}.german), COUNT(DISTINCT {t}.project_id, {t}.state), COUNT({t}.closed_on) FROM tickets {t}" + some(d, t)
@family
def annotate(d, t): return f"SELECT {t}.id, {t}.subject, COUNT(e.kind) AS events_count, MAX(e.happened_at) AS last FROM tickets {t} LEFT OUTER JOIN events e ON (e.ticket_id = {t}.id) WHERE {t}.id BETWEEN {ids(d)} GROUP BY {t}.id ORDER BY events_count DESC" + pick(d, "", cut(d), f", {t}.id ASC" + cut(d))
@family
def exists_item(d, t): return f"SELECT {t}.id, EXISTS(SELECT (1) AS a FROM events u0 WHERE u0.ticket_id = {t}.id AND u0.kind = 'close' LIMIT 1) AS closed FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", " ORDER BY closed DESC", " ORDER BY closed DESC" + cut(d))
@family
def subquery_annotation(d, t): return f"SELECT {t}.id, (SELECT u0.kind FROM events u0 WHERE u0.ticket_id = {t}.id ORDER BY u0.happened_at DESC LIMIT 1) AS latest FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", f" ORDER BY {t}.id", " ORDER BY latest" + cut(d))
@family
def exclude(d, t): return f"SELECT {t}.id FROM tickets {t} WHERE NOT ({t}.id IN (SELECT u1.ticket_id FROM events u1 WHERE u1.amount = {d.randrange(6)})) AND NOT ({t}.state = 'Done')" + order(d, t) + cut(d)
@family
def rails_includes(d, t): return f"SELECT `events`.* FROM `events` `{t}` WHERE `{t}`.`ticket_id` IN ({', '.join(str(d.randrange(1, 400)) for _ in range(15))})".replace("`events`.", f"`{t}`.") + pick(d, "", f" ORDER BY {t}.happened_at", f" ORDER BY {t}.ticket_id, {t}.kind")
@family
def rails_exists(d, t): return f"SELECT 1 AS one FROM `tickets` `{t}` WHERE `{t}`.`slug` = '{pick(d, 'alpha', 'zebra', 'Zebra')}{d.randrange(30)}' LIMIT 1"
@family
def rails_last(d, t): return f"SELECT `{t}`.* FROM `tickets` `{t}` WHERE `{t}`.`project_id` = {d.randrange(1, 15)} ORDER BY `{t}`.`{pick(d, 'id', 'created_at', 'updated_at', 'priority')}` DESC LIMIT 1"
@family
def rails_pluck(d, t): return f"SELECT `{t}`.`{pick(d, 'slug', 'ident', 'german', 'priority', 'closed_on')}` FROM `tickets` `{t}`" + some(d, t) + pick(d, "", order(d, t), order(d, t) + cut(d), cut(d))
@family
def rails_group(d, t): return f"SELECT COUNT(*) AS count_all, `{t}`.`{pick(d, 'state', 'labels', 'german', 'title_uni', 'closed_on')}` AS g FROM `tickets` `{t}` GROUP BY g" + pick(d, "", " ORDER BY count_all DESC", " ORDER BY count_all DESC LIMIT 3", " ORDER BY g")
@family
def hibernate_page(d, t): return f"select {t}_0.id as id1_0_, {t}_0.subject as subject2_0_, {t}_0.estimate as est from tickets {t}_0 where {t}_0.project_id={d.randrange(1, 15)} order by {t}_0.{pick(d, 'estimate', 'priority desc', 'closed_on desc')} limit {d.randrange(1, 20)}, {d.choice((5, 10))}"
@family
def hibernate_fetch(d, t): return f"select {t}.id, e.kind, e.note from tickets {t} left outer join events e on {t}.id=e.ticket_id where {t}.project_id in ({d.randrange(1, 15)}, {d.randrange(1, 15)})" + pick(d, "", f" order by {t}.priority desc", f" order by {t}.id, e.happened_at", f" order by {t}.created_at desc limit 30")
@family
def null_last(d, t): return f"SELECT {t}.id, {t}.closed_on FROM tickets {t}" + some(d, t) + f" ORDER BY {pick(d, t + '.closed_on IS NULL, ' + t + '.closed_on DESC', 'ISNULL(' + t + '.estimate), ' + t + '.estimate', '-' + t + '.assignee_id DESC', t + '.assignee_id IS NOT NULL DESC, ' + t + '.assignee_id')}" + pick(d, "", cut(d))
@family
def by_expression(d, t): return f"SELECT {t}.id, {t}.subject FROM tickets {t}" + some(d, t) + f" ORDER BY {pick(d, 'FIELD(state, 2, 3)', 'LENGTH(subject)', 'state + 0 DESC', 'LOWER(slug)', 'DATE(created_at)', 'CASE state WHEN ' + chr(39) + 'open' + chr(39) + ' THEN 0 ELSE 1 END, priority', 'subject COLLATE utf8mb4_bin', 'subject COLLATE utf8mb4_german2_ci DESC', 'CONVERT(ident USING utf8mb4)', 'HEX(raw_id)', 'IF(priority > 2, created_at, updated_at)', 'SUBSTRING_INDEX(subject, 32, 1)')}" + pick(d, "", cut(d))
@family
def by_position(d, t): return f"SELECT {t}.german, {t}.priority, {t}.id FROM tickets {t}" + some(d, t) + f" ORDER BY {pick(d, '1', '1 DESC', '2, 1', '2 DESC')}" + pick(d, "", cut(d))
@family
def collation_pairs(d, t): return f"SELECT {t}.{pick(d, 'german', 'title_uni', 'subject', 'ident')} AS v FROM tickets {t} WHERE {t}.{pick(d, 'german', 'title_uni', 'subject')} = '{pick(d, 'ä', 'ae', 'strasse', 'APFEL', 'naive', 'resume')}'" + pick(d, "", " ORDER BY v", " ORDER BY v" + cut(d))
@family
def extremes(d, t): return f"SELECT {t}.project_id, MIN({t}.german), MAX({t}.title_uni), MIN({t}.slug), MAX({t}.closed_on), MIN({t}.state), MAX({t}.labels) FROM tickets {t} GROUP BY {t}.project_id" + pick(d, "", " ORDER BY project_id", " ORDER BY 2" + cut(d))
@family
def any_values(d, t): return f"SELECT {t}.project_id, {pick(d, 'ANY_VALUE(' + t + '.subject)', t + '.subject', t + '.id, ' + t + '.slug', t + '.estimate')}, COUNT(*) FROM tickets {t} GROUP BY {t}.project_id" + pick(d, "", " ORDER BY 1", " ORDER BY COUNT(*) DESC LIMIT 4")
@family
def limit_only(d, t): return f"SELECT {pick(d, t + '.*', t + '.id', t + '.subject', t + '.state, ' + t + '.priority')} FROM tickets {t}" + some(d, t) + cut(d)
@family
def no_key(d, t): return f"SELECT {t}.* FROM events {t}" + pick(d, "", f" WHERE {t}.ticket_id < {d.randrange(20, 300)}", f" WHERE {t}.note = ''") + pick(d, "", " ORDER BY happened_at", f" ORDER BY {pick(d, 'kind', 'amount', 'happened_at DESC', 'note')}" + cut(d), cut(d))
@family
def paths(d, t): return f"SELECT {t}.id, JSON_EXTRACT({t}.payload, '$.level') AS level, JSON_UNQUOTE(JSON_EXTRACT({t}.payload, '$.who.mail')) AS mail FROM tickets {t} WHERE JSON_EXTRACT({t}.payload, '$.level') {pick(d, '>= 1', '= 2', 'IS NOT NULL')}" + pick(d, "", " ORDER BY mail", " ORDER BY level, mail" + cut(d), " ORDER BY mail" + cut(d))
@family
def in_payload(d, t): return f"SELECT {t}.id FROM tickets {t} WHERE JSON_CONTAINS({t}.payload, '\"{pick(d, 'alpha', 'zebra', 'omega')}\"', '$.tags')" + pick(d, "", f" ORDER BY {t}.priority", f" ORDER BY {t}.priority" + cut(d))
@family
def dates(d, t): return f"SELECT {t}.id, {t}.closed_on, DATE_FORMAT({t}.created_at, '%W %e %M'), DATEDIFF({t}.updated_at, {t}.closed_on), {t}.closed_on + INTERVAL 1 DAY, UNIX_TIMESTAMP({t}.updated_at), EXTRACT(YEAR_MONTH FROM {t}.created_at) FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", " ORDER BY closed_on")
@family
def numbers(d, t): return f"SELECT {t}.id, {t}.ratio * 2, {t}.ratio + 0.1, {t}.weight, {t}.weight * 1e3, {t}.estimate / 7, {t}.flags + 0, {t}.flags, {t}.labels + 0, {t}.state + 0, -{t}.estimate FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", f" ORDER BY {t}.ratio", f" ORDER BY {t}.weight" + cut(d))
@family
def through_view(d, t): return f"SELECT {pick(d, '*', 'id, subject', 'project_id, COUNT(*)')} FROM open_tickets {t}" + pick(d, "", " GROUP BY project_id", " ORDER BY priority LIMIT 9").replace("GROUP BY project_id", "WHERE priority > 3")
@family
def through_group_view(d, t): return f"SELECT {pick(d, '*', 'project_id, n', 'state, subjects')} FROM per_project {t}" + pick(d, "", f" WHERE project_id = {d.randrange(1, 15)}", " ORDER BY n DESC", " ORDER BY n DESC LIMIT 4")
@family
def or_pages(d, t): return f"SELECT {t}.created_at, {t}.id FROM tickets {t} WHERE {t}.created_at < '2024-01-{d.randrange(10, 30)}' OR ({t}.created_at = '2024-01-05 00:00:00' AND {t}.id > {d.randrange(900)}) ORDER BY {t}.created_at DESC" + pick(d, "", f", {t}.id") + " LIMIT 20"
@family
def deferred(d, t): return f"SELECT {t}.* FROM tickets {t} INNER JOIN (SELECT id FROM tickets ORDER BY {pick(d, 'priority', 'created_at DESC', 'slug')} LIMIT {20 * d.randrange(5)}, 20) AS page USING (id)" + pick(d, "", f" ORDER BY {t}.id", f" ORDER BY {t}.priority")
@family
def booleans(d, t): return f"SELECT {t}.id, {t}.priority > 3 AS urgent, {t}.german <=> NULL AS none, {t}.subject LIKE 'a%' AS a FROM tickets {t}" + some(d, t) + f" ORDER BY urgent DESC{pick(d, '', ', a', ', id')}" + cut(d)

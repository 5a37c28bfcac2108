"""Reports: windows over ties, lists, rollups, unions, common table expressions, trees."""

from families import Families
from queries import pick

from .tracker import ids

family = Families()


def tops(d): return f" LIMIT {d.randrange(2, 15)}"


@family
def numbered_ties(d, t): return f"SELECT {t}.id, ROW_NUMBER() OVER ({pick(d, '', 'PARTITION BY project_id ')}ORDER BY {pick(d, 'priority', 'created_at', 'german')}) AS rn FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", " ORDER BY rn", f" ORDER BY {t}.id", " ORDER BY rn" + tops(d))
@family
def ranks(d, t): return f"SELECT {t}.id, {t}.priority, RANK() OVER (ORDER BY priority) AS r, DENSE_RANK() OVER (PARTITION BY state ORDER BY priority DESC) AS dr, SUM(priority) OVER (PARTITION BY project_id) AS s FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", " ORDER BY r", " ORDER BY r" + tops(d))
@family
def first_values(d, t): return f"SELECT {t}.id, FIRST_VALUE(subject) OVER (PARTITION BY project_id ORDER BY {pick(d, 'priority', 'estimate DESC', 'id')}) AS f, LAG({t}.id) OVER (ORDER BY {pick(d, 'priority', 'created_at', 'id')}) AS before_it FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}" + pick(d, "", f" ORDER BY {t}.id")
@family
def running_total(d, t): return f"SELECT {t}.entity_id, {t}.grand_total, SUM({t}.grand_total) OVER (ORDER BY {pick(d, 'created_at', 'created_at, entity_id', 'grand_total')}{pick(d, '', ' ROWS UNBOUNDED PRECEDING')}) AS running FROM sales_order {t} WHERE {t}.entity_id < {d.randrange(40, 300)}" + pick(d, "", " ORDER BY running", f" ORDER BY {t}.created_at, {t}.entity_id")
@family
def top_per_group(d, t): return f"SELECT * FROM (SELECT {t}.*, ROW_NUMBER() OVER (PARTITION BY customer_email ORDER BY {pick(d, 'created_at DESC', 'grand_total DESC', 'created_at DESC, entity_id')}) AS rn FROM sales_order {t}) ranked WHERE rn {pick(d, '= 1', '<= 2')}" + pick(d, "", " ORDER BY customer_email")
@family
def quarters(d, t): return f"SELECT q, COUNT(*), SUM(grand_total) FROM (SELECT grand_total, NTILE(4) OVER (ORDER BY grand_total) AS q FROM sales_order {t}) x GROUP BY q" + pick(d, "", " ORDER BY q")
@family
def list_plain(d, t): return f"SELECT {t}.project_id, GROUP_CONCAT({pick(d, t + '.id', t + '.subject', t + '.german', 'DISTINCT ' + t + '.subject', t + '.state', t + '.estimate')}{pick(d, '', ' SEPARATOR ' + chr(39) + ' | ' + chr(39))}) AS l FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} GROUP BY {t}.project_id" + pick(d, "", " ORDER BY project_id")
@family
def list_ordered(d, t): return f"SELECT {t}.state, GROUP_CONCAT({pick(d, t + '.id', t + '.subject')} ORDER BY {pick(d, t + '.priority', t + '.subject', t + '.id DESC', t + '.german, ' + t + '.id')} SEPARATOR ';') AS l FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} GROUP BY {t}.state"
@family
def list_long(d, t): return f"SELECT {t}.state, GROUP_CONCAT({t}.subject{pick(d, '', ' ORDER BY ' + t + '.priority')}) AS l FROM tickets {t} GROUP BY {t}.state"
@family
def list_top_few(d, t): return f"SELECT {t}.project_id, SUBSTRING_INDEX(GROUP_CONCAT({t}.id ORDER BY {t}.{pick(d, 'priority DESC', 'created_at DESC', 'id')}), ',', 3) AS top FROM tickets {t} GROUP BY {t}.project_id"
@family
def json_list(d, t): return f"SELECT {t}.project_id, JSON_ARRAYAGG({pick(d, t + '.id', t + '.subject', t + '.estimate', 'JSON_OBJECT(' + chr(39) + 'i' + chr(39) + ', ' + t + '.id, ' + chr(39) + 's' + chr(39) + ', ' + t + '.state)')}) AS l FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} GROUP BY {t}.project_id"
@family
def json_object(d, t): return f"SELECT {t}.project_id, JSON_OBJECTAGG({pick(d, t + '.id', t + '.slug', t + '.state')}, {t}.{pick(d, 'priority', 'subject')}) AS o FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} GROUP BY {t}.project_id"
@family
def json_nested(d, t): return f"SELECT {t}.id, (SELECT JSON_ARRAYAGG(e.kind) FROM events e WHERE e.ticket_id = {t}.id) AS kinds, (SELECT GROUP_CONCAT(e.note) FROM events e WHERE e.ticket_id = {t}.id) AS notes FROM tickets {t} WHERE {t}.id BETWEEN {ids(d, 80)}" + pick(d, "", f" ORDER BY {t}.id")
@family
def rollup(d, t): return f"SELECT {t}.project_id, {t}.state, COUNT(*), SUM({t}.estimate) FROM tickets {t} WHERE {t}.project_id < {d.randrange(2, 15)} GROUP BY {t}.project_id, {t}.state WITH ROLLUP" + pick(d, "", tops(d), f" HAVING COUNT(*) > {d.randrange(2, 40)}")
@family
def rollup_text(d, t): return f"SELECT {t}.{pick(d, 'subject', 'german', 'title_uni')} AS g, MAX({t}.slug), COUNT(*) FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)} GROUP BY g WITH ROLLUP"
@family
def union_of_tops(d, t): return f"(SELECT {t}.id, {t}.subject FROM tickets {t} WHERE project_id = {d.randrange(1, 15)} ORDER BY {pick(d, 'priority', 'created_at DESC', 'id')} LIMIT {d.randrange(2, 9)}) UNION{pick(d, '', ' ALL')} (SELECT id, subject FROM tickets WHERE state = 'Done' ORDER BY {pick(d, 'priority', 'updated_at')} LIMIT {d.randrange(2, 9)})" + pick(d, "", " ORDER BY subject", " ORDER BY id LIMIT 6")
@family
def union_kinds(d, t): return f"SELECT 'ticket' AS what, {t}.subject AS text, {t}.created_at AS at FROM tickets {t} WHERE {t}.project_id = {d.randrange(1, 15)} UNION{pick(d, '', ' ALL')} SELECT 'event', e.kind, e.happened_at FROM events e WHERE e.ticket_id < {d.randrange(5, 60)}" + pick(d, "", " ORDER BY at DESC", " ORDER BY at DESC LIMIT 10", " ORDER BY what, text")
@family
def tree(d, t): return f"WITH RECURSIVE tree AS (SELECT id, name, 0 AS depth, CAST(name AS CHAR(400)) AS path FROM nodes WHERE parent_id IS NULL UNION ALL SELECT {t}.id, {t}.name, tree.depth + 1, CONCAT(tree.path, '/', {t}.name) FROM nodes {t} JOIN tree ON {t}.parent_id = tree.id WHERE tree.depth < {d.randrange(1, 5)}) SELECT {pick(d, '*', 'id, depth', 'name, path')} FROM tree" + pick(d, "", " ORDER BY depth", " ORDER BY path", " ORDER BY depth, name" + tops(d), " ORDER BY depth" + tops(d))
@family
def ancestors(d, t): return f"WITH RECURSIVE up AS (SELECT id, parent_id, name FROM nodes WHERE id = {d.randrange(20, 300)} UNION SELECT {t}.id, {t}.parent_id, {t}.name FROM nodes {t} JOIN up ON {t}.id = up.parent_id) SELECT {pick(d, 'id, name', 'GROUP_CONCAT(name)', 'COUNT(*)')} FROM up"
@family
def calendar(d, t): return f"WITH RECURSIVE days AS (SELECT DATE('2024-01-01') AS day UNION ALL SELECT day + INTERVAL 1 DAY FROM days WHERE day < '2024-01-{d.randrange(5, 28):02}') SELECT days.day, COUNT({t}.id) AS n, MIN({t}.subject) FROM days LEFT JOIN tickets {t} ON DATE({t}.created_at) = days.day GROUP BY days.day" + pick(d, "", " ORDER BY days.day", " ORDER BY n DESC" + tops(d))
@family
def cte_steps(d, t): return f"WITH per AS (SELECT project_id, COUNT(*) AS n FROM tickets {t} GROUP BY project_id), best AS (SELECT project_id FROM per ORDER BY n DESC LIMIT {d.randrange(2, 6)}) SELECT {pick(d, 'COUNT(*)', 'k.id, k.subject', 'k.project_id, COUNT(*)')} FROM tickets k JOIN best ON best.project_id = k.project_id" + pick(d, "", " WHERE k.priority = 1").replace("COUNT(*)", "COUNT(*)") + pick(d, " GROUP BY k.project_id", "")
@family
def derived_newest(d, t): return f"SELECT x.project_id, COUNT(*), MAX(x.priority) FROM (SELECT * FROM tickets {t} ORDER BY {pick(d, 'created_at DESC', 'priority', 'id DESC')} LIMIT {d.randrange(10, 200)}) x GROUP BY x.project_id" + pick(d, "", " ORDER BY 2 DESC", " ORDER BY x.project_id")
@family
def scalar_first(d, t): return f"SELECT {t}.entity_id, (SELECT v.value FROM product_varchar v WHERE v.entity_id = {t}.entity_id LIMIT 1) AS one, (SELECT c.category_id FROM category_product c WHERE c.product_id = {t}.entity_id ORDER BY c.position LIMIT 1) AS category FROM product {t} WHERE {t}.entity_id < {d.randrange(20, 150)}" + pick(d, "", f" ORDER BY {t}.entity_id")
@family
def float_sums(d, t): return f"SELECT {t}.project_id, SUM({t}.ratio), AVG({t}.weight), STDDEV({t}.ratio), SUM({t}.estimate), AVG({t}.estimate), SUM({t}.ratio * {t}.priority) FROM tickets {t}" + pick(d, "", f" WHERE {t}.state = 'open'") + f" GROUP BY {t}.project_id" + pick(d, "", " ORDER BY project_id", f" ORDER BY SUM({t}.ratio)" + tops(d))
@family
def float_total(d, t): return f"SELECT ROUND(SUM({t}.ratio), {d.randrange(2, 6)}), AVG({t}.weight), COUNT(*), FORMAT(AVG({t}.ratio), 3), SUM({t}.weight) > 100 FROM tickets {t} WHERE {t}.id BETWEEN {ids(d)}"
@family
def histogram(d, t): return f"SELECT HOUR({t}.created_at) AS h, COUNT(*) AS n, SUM({t}.state = 'open') AS open, SUM(IF({t}.priority > 3, {t}.estimate, 0)) AS e FROM tickets {t} GROUP BY h" + pick(d, "", " ORDER BY n DESC", " ORDER BY n DESC" + tops(d), " HAVING n > 3 ORDER BY h")
@family
def having_hidden(d, t): return f"SELECT {t}.assignee_id FROM tickets {t} GROUP BY {t}.assignee_id HAVING COUNT(*) > {d.randrange(2, 80)} ORDER BY {pick(d, 'COUNT(*) DESC', 'MAX(' + t + '.created_at) DESC', 'AVG(' + t + '.estimate)')}" + pick(d, "", tops(d))
@family
def median(d, t): return f"SELECT {t}.grand_total, {t}.entity_id FROM sales_order {t} ORDER BY {t}.grand_total LIMIT 1 OFFSET {d.randrange(100, 1200)}"
@family
def gaps(d, t): return f"SELECT {t}.ticket_id, {t}.happened_at, LEAD({t}.happened_at) OVER (PARTITION BY {t}.ticket_id ORDER BY {t}.happened_at) AS next_at, COUNT(*) OVER (PARTITION BY {t}.ticket_id) AS n FROM events {t} WHERE {t}.ticket_id < {d.randrange(10, 80)}" + pick(d, "", f" ORDER BY {t}.ticket_id, {t}.happened_at")
@family
def semi(d, t): return f"SELECT {t}.name, {t}.place FROM nodes {t} WHERE {t}.id IN (SELECT parent_id FROM nodes) AND {t}.place < ANY (SELECT place FROM nodes WHERE parent_id = {t}.id)" + pick(d, "", f" ORDER BY {t}.name", f" ORDER BY {t}.name" + tops(d))

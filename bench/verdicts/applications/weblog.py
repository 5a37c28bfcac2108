"""What a WordPress sends."""

from families import Families
from queries import pick

family = Families()


def types(d): return pick(d, "'post'", "'page'", "'post', 'page'", "'post', 'attachment', 'revision'")
def page(d, n=(5, 10, 20)): return f" LIMIT {10 * d.randrange(6)}, {d.choice(n)}"
def status(d, t): return pick(d, f"{t}.post_status = 'publish'", f"({t}.post_status = 'publish' OR {t}.post_status = 'private')", f"{t}.post_status IN ('draft', 'publish')")


@family
def main_loop(d, t): return f"SELECT SQL_CALC_FOUND_ROWS {t}.ID FROM wp_posts {t} WHERE 1=1 AND {t}.post_type = 'post' AND {status(d, t)} ORDER BY {t}.post_date DESC" + page(d)
@family
def found_after_loop(d, t): return f"SELECT SQL_CALC_FOUND_ROWS {t}.ID FROM wp_posts {t} WHERE {t}.post_type IN ({types(d)}) AND {status(d, t)} ORDER BY {t}.menu_order ASC, {t}.post_date DESC" + page(d), "SELECT FOUND_ROWS()"
@family
def whole_posts(d, t): return f"SELECT {t}.* FROM wp_posts {t} WHERE ID IN ({', '.join(str(d.randrange(1, 900)) for _ in range(12))})"
@family
def posts_of_field(d, t):
    chosen = ",".join(str(d.randrange(1, 900)) for _ in range(8))
    return f"SELECT {t}.* FROM wp_posts {t} WHERE {t}.ID IN ({chosen}) ORDER BY FIELD({t}.ID, {chosen})"
@family
def meta_query(d, t): return f"SELECT {t}.ID FROM wp_posts {t} INNER JOIN wp_postmeta m ON ({t}.ID = m.post_id) WHERE 1=1 AND (m.meta_key = '{pick(d, '_price', 'total_sales', '_sku')}') AND {t}.post_type IN ({types(d)}) GROUP BY {t}.ID ORDER BY {pick(d, 'm.meta_value+0 DESC', 'm.meta_value ASC', 'CAST(m.meta_value AS SIGNED) DESC', 'm.meta_value DESC, ' + t + '.post_date DESC')}" + page(d)
@family
def meta_two_joins(d, t): return f"SELECT {t}.ID, {t}.post_title FROM wp_posts {t} INNER JOIN wp_postmeta m ON {t}.ID = m.post_id INNER JOIN wp_postmeta mt1 ON {t}.ID = mt1.post_id WHERE (m.meta_key = '_price' AND CAST(m.meta_value AS SIGNED) > {d.randrange(50)}) AND mt1.meta_key = '_sku' GROUP BY {t}.ID ORDER BY {t}.post_title" + pick(d, "", page(d))
@family
def meta_cache(d, t): return f"SELECT post_id, meta_key, meta_value FROM wp_postmeta {t} WHERE post_id IN ({','.join(str(d.randrange(1, 900)) for _ in range(20))}) ORDER BY {pick(d, 'meta_id ASC', 'post_id', 'meta_key')}"
@family
def tax_query(d, t): return f"SELECT SQL_CALC_FOUND_ROWS {t}.ID FROM wp_posts {t} LEFT JOIN wp_term_relationships r ON ({t}.ID = r.object_id) WHERE r.term_taxonomy_id IN ({d.randrange(1, 25)},{d.randrange(1, 25)}) AND {t}.post_status = 'publish' GROUP BY {t}.ID ORDER BY {pick(d, t + '.post_date DESC', t + '.menu_order', t + '.comment_count DESC')}" + page(d)
@family
def term_counts(d, t): return f"SELECT {t}.name, {t}.slug, COUNT(r.object_id) AS cnt FROM wp_terms {t} LEFT JOIN wp_term_relationships r ON r.term_taxonomy_id = {t}.term_id GROUP BY {t}.term_id ORDER BY {pick(d, 'cnt DESC', t + '.name ASC', 'cnt DESC, ' + t + '.name')}" + pick(d, "", f" LIMIT {d.randrange(3, 20)}")
@family
def terms_of_posts(d, t): return f"SELECT DISTINCT {t}.term_id, {t}.name FROM wp_terms {t} INNER JOIN wp_term_relationships tr ON tr.term_taxonomy_id = {t}.term_id WHERE tr.object_id IN ({','.join(str(d.randrange(1, 900)) for _ in range(30))}) ORDER BY {t}.name ASC" + pick(d, "", " LIMIT 5")
@family
def autoload(d, t): return f"SELECT option_name, option_value FROM wp_options {t} WHERE autoload = '{pick(d, 'yes', 'Yes', 'no')}'"
@family
def one_option(d, t): return f"SELECT option_value FROM wp_options {t} WHERE option_name = 'option_{d.randrange(1, 160):03}' LIMIT 1"
@family
def search(d, t): return f"SELECT SQL_CALC_FOUND_ROWS {t}.ID, {t}.post_title FROM wp_posts {t} WHERE (({t}.post_title LIKE '%{pick(d, 'alpha', 'stra', 'co-op')}%') OR ({t}.post_content LIKE '%{pick(d, 'omega', 'zebra')}%')) ORDER BY {t}.post_title LIKE '%alpha%' DESC, {t}.post_date DESC" + page(d)
@family
def search_cases(d, t): return f"SELECT {t}.ID FROM wp_posts {t} WHERE {t}.post_type = 'post' ORDER BY (CASE WHEN {t}.post_title LIKE '%alpha omega%' THEN 1 WHEN {t}.post_title LIKE '%alpha%' AND {t}.post_title LIKE '%omega%' THEN 2 WHEN {t}.post_title LIKE '%alpha%' THEN 3 ELSE 6 END), {t}.post_author" + page(d)
@family
def matched(d, t): return f"SELECT ID, MATCH(post_title, post_content) AGAINST ('{pick(d, 'alpha beta', 'zebra', 'omega delta gamma')}' IN BOOLEAN MODE) AS score FROM wp_posts {t} WHERE MATCH(post_title, post_content) AGAINST ('+alpha' IN BOOLEAN MODE) ORDER BY {pick(d, 'ID', 'post_author', 'post_author, ID')}" + pick(d, "", " LIMIT 10")
@family
def archives(d, t): return f"SELECT YEAR(post_date) AS `year`, MONTH(post_date) AS `month`, count(ID) as posts FROM wp_posts {t} WHERE post_type = 'post' GROUP BY YEAR(post_date), MONTH(post_date) ORDER BY {pick(d, 'post_date DESC', '1 DESC, 2 DESC', 'posts DESC')}"
@family
def neighbours(d, t): return f"SELECT {t}.ID, {t}.post_name FROM wp_posts AS {t} WHERE {t}.post_date {pick(d, '<', '>')} '2024-01-{d.randrange(10, 30)} 00:00:00' AND {t}.post_type = 'post' ORDER BY {t}.post_date {pick(d, 'DESC', 'ASC')} LIMIT 1"
@family
def children(d, t): return f"SELECT * FROM wp_posts {t} WHERE post_parent = {d.randrange(0, 60)} AND post_type IN ({types(d)}) ORDER BY menu_order ASC, post_title ASC"
@family
def counts_by_status(d, t): return f"SELECT post_status, COUNT(*) AS num_posts FROM wp_posts {t} WHERE post_type = '{pick(d, 'post', 'page')}' GROUP BY post_status"
@family
def random_posts(d, t): return f"SELECT {t}.ID, {t}.post_title FROM wp_posts {t} WHERE {t}.post_type = 'page' ORDER BY RAND() LIMIT 0, 5"
@family
def author_counts(d, t): return f"SELECT post_author, COUNT(*), MAX(post_title), MIN(post_name) FROM wp_posts {t} WHERE post_type IN ({types(d)}) GROUP BY post_author" + pick(d, "", " ORDER BY post_author", " ORDER BY 2 DESC LIMIT 4")
@family
def meta_keys(d, t): return f"SELECT DISTINCT meta_key FROM wp_postmeta {t} WHERE meta_key NOT BETWEEN '_' AND '_z' HAVING meta_key NOT LIKE '\\_%' ORDER BY meta_key LIMIT 30"
@family
def pivot(d, t): return f"SELECT {t}.ID, MAX(CASE WHEN m.meta_key = '_price' THEN m.meta_value END) AS price, MAX(IF(m.meta_key = '_sku', m.meta_value, NULL)) AS sku FROM wp_posts {t} LEFT JOIN wp_postmeta m ON m.post_id = {t}.ID WHERE {t}.ID < {d.randrange(50, 400)} GROUP BY {t}.ID" + pick(d, "", " ORDER BY price+0 DESC", " ORDER BY sku, price LIMIT 15")
@family
def not_in(d, t): return f"SELECT {t}.ID, {t}.post_name FROM wp_posts {t} WHERE {t}.ID NOT IN (SELECT object_id FROM wp_term_relationships WHERE term_taxonomy_id < {d.randrange(2, 20)}) AND {t}.post_type = 'page' ORDER BY {t}.post_name" + page(d)
@family
def slugs(d, t): return f"SELECT post_name FROM wp_posts {t} WHERE post_type = 'post' AND post_name LIKE '{pick(d, 'alpha', 'zebra', 'stra')}%' ORDER BY {pick(d, 'post_name', 'LENGTH(post_name) DESC', 'post_name DESC')}" + pick(d, "", " LIMIT 1", " LIMIT 6")
@family
def parents_up(d, t): return f"SELECT {t}.ID, (SELECT p.post_title FROM wp_posts p WHERE p.ID = {t}.post_parent LIMIT 1) AS parent_title, (SELECT meta_value FROM wp_postmeta WHERE post_id = {t}.ID AND meta_key = '_price' LIMIT 1) AS price FROM wp_posts {t} WHERE {t}.post_author = {d.randrange(1, 12)} ORDER BY {t}.ID LIMIT 25"

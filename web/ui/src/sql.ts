// SQL cut into tokens for colouring. Understands nothing; the text comes out as it went in. Pure.

export type TokenKind = "keyword" | "string" | "number" | "comment" | "name" | "placeholder" | "other";
export interface Token {
  kind: TokenKind;
  text: string;
}

const keywords = new Set(
  ("select from where and or not in is null like between exists join left right inner outer cross natural straight_join on using group by having order asc desc " +
    "limit offset union all distinct as case when then else end insert into values update set delete replace create alter drop table index view with recursive " +
    "for share lock mode begin start transaction commit rollback savepoint show explain describe use call interval regexp rlike div mod xor true false " +
    "over partition rows range window collate binary ignore duplicate key separator")
    .split(" "),
);

const pattern =
  /(\/\*[\s\S]*?(?:\*\/|$)|--(?=\s|$)[^\n]*|#[^\n]*)|('(?:[^'\\]|\\[\s\S]|'')*'?|"(?:[^"\\]|\\[\s\S]|"")*"?)|(`[^`]*`?)|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b|\b0x[0-9a-f]+\b)|(\?)|([\p{L}_$@][\p{L}\p{N}_$@]*)/giu;

export function tokens(sql: string): Token[] {
  const result: Token[] = [];
  let end = 0;
  for (const match of sql.matchAll(pattern)) {
    if (match.index > end) result.push({ kind: "other", text: sql.slice(end, match.index) });
    const [text, comment, string, quoted, number, placeholder] = match;
    const kind: TokenKind = comment !== undefined ? "comment" : string !== undefined ? "string" : quoted !== undefined ? "name"
      : number !== undefined ? "number" : placeholder !== undefined ? "placeholder" : keywords.has(text.toLowerCase()) ? "keyword" : "name";
    result.push({ kind, text });
    end = match.index + text.length;
  }
  if (end < sql.length) result.push({ kind: "other", text: sql.slice(end) });
  return result;
}

// The triage page in the system's Chromium, against the real server on a real store. Every case is a fact; the first one
// that doesn't hold ends the test with its name. DARKTAP_SCREENSHOTS=folder keeps pictures of what was seen.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";

const { DARKTAP_WEB_UI, DARKTAP_SAMPLE_PAGE, DARKTAP_CHROMIUM, DARKTAP_SCREENSHOTS } = process.env;
if (!DARKTAP_CHROMIUM || !existsSync(DARKTAP_CHROMIUM)) {
  console.log("SKIPPED: no Chromium on this machine (package chromium)");
  process.exit(0);
}
const { chromium } = createRequire(join(DARKTAP_WEB_UI, "package.json"))("playwright-core");

const folder = mkdtempSync(join(tmpdir(), "darktap-browser-"));
const servers = [];

// The sample's server; resolves with the address that it prints.
function serve(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(DARKTAP_SAMPLE_PAGE, args, { stdio: ["pipe", "pipe", "inherit"] });
    servers.push(child);
    child.stdout.once("data", (line) => resolve(new URL(String(line).trim())));
    child.once("exit", (code) => reject(new Error(`sample_page ended with ${code}`)));
  });
}

// A request with headers that a browser would not let a script set.
function ask(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({ hostname: "127.0.0.1", port: url.port, path: url.pathname + url.search, method, headers: { Host: url.host, ...headers } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function fact(name, holds) {
  try {
    await holds();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.error(`NOT SO: ${name}`);
    throw error;
  }
}

async function picture(page, name) {
  if (DARKTAP_SCREENSHOTS) await page.screenshot({ path: join(DARKTAP_SCREENSHOTS, `${name}.png`) });
}

async function openPage(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) page.complaints.push(message.text()); });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.goto(String(address));
  await page.waitForSelector(".item");
  return page;
}

// Polled from here: the page's policy forbids evaluating strings in it.
async function until(what, holds) {
  for (const end = Date.now() + 15_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    assert.ok(Date.now() < end, `waited 15 s: ${what}`);
  }
}

const listed = (page, n) => until(`${n} findings listed`, async () => (await page.locator(".item").count()) === n);
const text = (page, selector) => page.locator(selector).first().innerText();

async function guarded(address) {
  const token = address.searchParams.get("token");
  const api = new URL("/api/runs", address);
  const with_token = { "X-Darktap-Token": token };
  await fact("without the token nothing is answered: no page, no script, no data", async () => {
    for (const path of ["/", "/api/runs", "/icon.svg", "/api/runs/1/findings/x"]) {
      const answer = await ask(new URL(path, address));
      assert.equal(answer.status, 403, path);
      assert.ok(!answer.text.includes("orders") && !answer.text.includes("<html"), path);
    }
    assert.equal((await ask(new URL(`/?token=${"0".repeat(32)}`, address))).status, 403);
    assert.equal((await ask(api, { headers: with_token })).status, 200);
  });
  await fact("a foreign host name is refused, also with the token", async () => {
    for (const host of ["evil.example", `evil.example:${address.port}`, `127.0.0.1.evil.example:${address.port}`, "127.0.0.1:1"]) {
      assert.equal((await ask(api, { headers: { ...with_token, Host: host } })).status, 403, host);
    }
    assert.equal((await ask(api, { headers: { ...with_token, Host: `localhost:${address.port}` } })).status, 200);
  });
  await fact("another site's request is refused, also with the token or the cookie", async () => {
    const cookie = { Cookie: `darktap_${address.port}=${token}` };
    assert.equal((await ask(api, { headers: cookie })).status, 200);
    for (const from of [{ Origin: "http://evil.example" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" }, { Origin: `http://127.0.0.1:1` }]) {
      assert.equal((await ask(api, { headers: { ...with_token, ...from } })).status, 403, JSON.stringify(from));
      assert.equal((await ask(api, { headers: { ...cookie, ...from } })).status, 403, JSON.stringify(from));
    }
    const post = { method: "POST", body: "{}", headers: { ...cookie, "Content-Type": "application/json" } };
    assert.equal((await ask(new URL("/api/findings/x/triage", address), post)).status, 403, "a POST by cookie without an origin");
  });
  await fact("every answer forbids framing, sniffing, keeping and foreign scripts", async () => {
    for (const answer of [await ask(address), await ask(api), await ask(api, { headers: with_token })]) {
      assert.match(answer.headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
      assert.ok(!answer.headers["content-security-policy"].includes("unsafe"));
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
      assert.equal(answer.headers["cache-control"], "no-store");
    }
    const cookie = (await ask(address)).headers["set-cookie"][0];
    assert.match(cookie, /HttpOnly/);
    assert.match(cookie, /SameSite=Strict/);
  });
}

async function worked(browser, address) {
  const page = await openPage(browser, address);
  await fact("the token leaves the address bar", async () => assert.ok(!page.url().includes("token")));
  await fact("the queue lists all findings, what counts first", async () => {
    assert.equal(await page.locator(".item").count(), 500);
    assert.match(await text(page, ".item"), /Defect|Unsupported/);
    assert.match(await text(page, ".matching"), /500 of 500 findings\s*3 that count/);
    assert.match(await text(page, ".ledger-legend"), /1,102 exchanges = 822 compared \+ 276 skipped/);
  });
  await picture(page, "first");
  await fact("a defect shows both answers side by side, with the differing cells marked to the character", async () => {
    await page.locator(".item", { hasText: "FROM customers" }).click();
    await page.waitForSelector(".side-source td.cell-differs");
    assert.equal(await page.locator(".side-source td.cell-differs").count(), 3);
    assert.match(await text(page, ".side-source tbody"), /9007199254740993.*Ann O'Neill.*NULL/s);
    assert.match(await text(page, ".side-target tbody"), /ann o'neill.*''/s);
    assert.ok((await page.locator(".spelled mark").allInnerTexts()).includes("␣"), "the trailing blank is visible");
    assert.match(await text(page, ".sql"), /page: account/);
    assert.match(await text(page, ".provenance"), /session 12, statement \d+ · .* · shop\.pcap, packet 12,00\d/);
    assert.match(await text(page, ".figures"), /source\s+tap\s+7/);
  });
  await picture(page, "defect");
  await fact("a defect shows how both servers run it, side by side, and what its session had done before, writes marked", async () => {
    assert.match(await text(page, ".plan-reference tbody"), /const.*PRIMARY/s);
    assert.match(await text(page, ".plan-target tbody"), /ALL.*48211.*Using where/s);
    assert.deepEqual(await page.locator(".plan-target td.cell-differs").allInnerTexts(), ["ALL", "", "48211", "Using where"]);
    assert.ok(!(await text(page, ".plan-target thead")).includes("partitions"), "what is empty on both sides is left out");
    assert.match(await text(page, ".strip summary"), /in session 12: 2 statements, 1 write/);
    assert.equal(await page.locator(".strip li").count(), 2);
    assert.match(await text(page, ".strip li.strip-write"), /UPDATE customers/);
    await page.locator(".plans").scrollIntoViewIfNeeded();
    await picture(page, "plans");
  });
  await fact("read after write names the write, and the ladder the rung that agreed", async () => {
    await page.locator(".facet-value", { hasText: "Read after write" }).click();
    await listed(page, 1);
    await page.locator(".item").click();
    await page.waitForSelector(".ladder circle.rung-agrees");
    assert.match(await text(page, ".why"), /write to shop\.orders, key 4711, 1\.84 ms before this read \(session 12, statement 40\)/);
    assert.match(await text(page, ".why"), /still stale after 51\.8 ms and agreed after 102 ms/i);
  });
  await picture(page, "read_after_write");
  await fact("stale reads are added up by table, and open on demand", async () => {
    const panel = page.locator("details.staleness");
    assert.match(await panel.locator("summary").innerText(), /^\d+ stale reads? of 1 table: \d+ after a write that was seen, 0 without one$/);
    assert.ok(!(await panel.locator("table").isVisible()));
    await panel.locator("summary").click();
    assert.match(await panel.locator("tbody tr").innerText(), /shop\.orders/);
    assert.ok((await panel.locator(".delay:not(.delay-none)").count()) > 0);
    await picture(page, "staleness");
    await panel.locator("summary").click();
  });
  await fact("order undefined names the ties and marks the rows that moved", async () => {
    await page.goto(`${page.url().split("#")[0]}#cause=order_undefined`);
    await listed(page, 494);
    await page.locator(".item").first().click();
    await page.waitForSelector(".row-moved");
    assert.match(await text(page, ".evidence-table"), /\('12\.00'\)\s+2 – 4/);
    assert.equal(await page.locator(".side-source .row-moved").count(), 2);
    assert.match(await text(page, ".side-source tbody"), /Pendant <b>lamp<\/b>/);
  });
  await picture(page, "order_undefined");
  await fact("j and k walk the queue, and typing in the search field doesn't", async () => {
    await page.goto(`${page.url().split("#")[0]}#`);
    await listed(page, 500);
    const selected = () => page.locator('.item[aria-selected="true"]').getAttribute("id");
    await page.locator(".item").first().click();
    const first = await selected();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const third = await selected();
    assert.equal(third, await page.locator(".item").nth(2).getAttribute("id"));
    await page.keyboard.press("k");
    await page.keyboard.press("k");
    assert.equal(await selected(), first);
    await page.locator("#search").fill("jkaf customers");
    await listed(page, 0);
    await page.locator("#search").fill("from CUSTOMERS");
    await listed(page, 1);
  });
  await fact("a decision with its note and name persists after a reload, and is in the history", async () => {
    await page.locator(".item").click();
    await page.waitForSelector(".triage");
    await page.locator("#note").fill("SHOP-12: copy job lower-cased names <script>alert(1)</script>");
    await page.locator("#author").fill("Ann");
    await page.getByRole("button", { name: "Accept" }).click();
    await page.waitForSelector(".triage-message.good");
    await page.reload();
    await page.waitForSelector('.triage-buttons button[data-status="accepted"][aria-pressed="true"]');
    assert.match(await page.locator("#note").inputValue(), /SHOP-12/);
    assert.match(await text(page, ".history"), /Ann: open → accepted/);
    assert.equal(await text(page, ".item .status"), "accepted");
    const accepted = page.locator(".facet-value", { hasText: "accepted" });
    assert.match(await accepted.innerText(), /1/);
  });
  await picture(page, "accepted");
  await fact("the page breaks none of its own rules: no complaint in the console", async () => assert.deepEqual(page.complaints, []));
  await page.context().close();
}

async function dark(browser, address) {
  const page = await openPage(browser, address, { colorScheme: "dark" });
  await page.locator(".item", { hasText: "FROM orders WHERE customer_id" }).click();
  await page.waitForSelector(".row-absent");
  await fact("a missing row leaves its place empty on the other side", async () => {
    assert.equal(await page.locator(".side-target .row-absent").count(), 1);
    assert.equal(await page.locator(".side-source .row-alone").count(), 1);
  });
  await picture(page, "dark");
  await page.context().close();
}

async function live(browser) {
  const address = await serve(join(folder, "live.db"), "--live");
  const page = await openPage(browser, address);
  await fact("a live run's page follows it, and keeps a note that is being typed", async () => {
    await page.waitForSelector(".state-live");
    await page.locator(".item", { hasText: "FROM customers" }).click();
    await page.waitForSelector(".triage");
    await page.locator("#note").fill("half a thou");
    const events = async () => Number((await text(page, ".facts-line strong")).replaceAll(",", ""));
    const before = await events();
    await until("a further event", async () => (await events()) > before);
    assert.equal(await page.locator("#note").inputValue(), "half a thou");
  });
  await picture(page, "live");
  await fact("a server that goes away is said, and what was shown stays", async () => {
    servers.at(-1).stdin.end();
    await page.waitForSelector(".trouble:not([hidden])", { timeout: 15_000 });
    assert.match(await text(page, ".trouble"), /still running/);
    assert.ok((await page.locator(".item").count()) > 0);
  });
  await page.context().close();
}

let browser;
let failed = false;
try {
  const address = await serve(join(folder, "sample.db"));
  await guarded(address);
  browser = await chromium.launch({
    executablePath: DARKTAP_CHROMIUM,
    args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  await worked(browser, address);
  await dark(browser, address);
  await live(browser);
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await browser?.close();
  for (const server of servers) server.stdin.end();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

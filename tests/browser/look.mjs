// Opens each page given in Chromium and prints one line of JSON for it: what axe finds, what the page said, asked for or
// tried to open, how soon it painted, whether it is wider than its window.
//   node look.mjs CHROMIUM [--dark] [--print] [--width=1280] [--shot=FILE] [--no-axe] [--paint] PAGE...
// With --paint it tells of the paint alone.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const [executablePath, ...rest] = process.argv.slice(2);
const option = (name) => rest.find((word) => word.startsWith(`--${name}=`))?.split("=")[1] ?? "";
const pages = rest.filter((word) => !word.startsWith("--"));
const colorScheme = rest.includes("--dark") ? "dark" : "light";

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
for (const path of pages) {
  const viewport = { width: Number(option("width") || 1280), height: 900 };
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: false });
  const page = await context.newPage();
  const seen = { console: [], requests: [], dialogs: [], errors: [] };
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("dialog", (dialog) => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => seen.requests.push(request.url()));
  const address = pathToFileURL(path).href;
  await page.goto(address, { waitUntil: "load", timeout: 240_000 });
  await page.waitForTimeout(300);
  // The browser tells of a paint some time after it; a page that is never painted ends this with an error.
  const painted = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  const paint = await painted.jsonValue();
  if (rest.includes("--paint")) {
    console.log(JSON.stringify({ page: path, paint }));
    await context.close();
    continue;
  }
  if (rest.includes("--print")) await page.emulateMedia({ media: "print", colorScheme });
  if (option("shot")) await page.screenshot({ path: option("shot") });
  const opened = await page.evaluate(() => {
    document.querySelectorAll("details").forEach((box) => { box.open = true; });
    return document.querySelectorAll("details").length;
  });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const result = { page: path, paint, opened, overflow, ...seen, requests: seen.requests.filter((url) => url !== address) };
  if (!rest.includes("--no-axe")) {
    // The page's own policy would stop axe as it stops any other script; a world of its own obeys none.
    const session = await context.newCDPSession(page);
    const { readFile } = await import("node:fs/promises");
    const { frameTree } = await session.send("Page.getFrameTree");
    const world = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
    const run = async (expression) => (await session.send("Runtime.evaluate", {
      expression, contextId: world.executionContextId, awaitPromise: true, returnByValue: true,
    })).result.value;
    // A row is made like those above it; axe would take minutes for the ten thousands of cells of a whole report.
    await run(`document.querySelectorAll("tbody").forEach((body) => [...body.rows].slice(6).forEach((row) => row.remove()))`);
    // What is laid out only when it comes near has no size before; axe is to see it as whoever scrolls there does.
    await run(`document.querySelectorAll(".exhibit").forEach((part) => { part.style.contentVisibility = "visible"; })`);
    await run(await readFile(axe, "utf8"));
    result.violations = await run(`axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"], selectors: false, ancestry: false, xpath: false, preload: false, iframes: false })
      .then((found) => found.violations.map((one) => ({ id: one.id, help: one.help, nodes: one.nodes.length,
        first: one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)) })))`);
  }
  console.log(JSON.stringify(result));
  await context.close();
}
await browser.close();

/**
 * Where is a Chromium, and what is a page in it?
 *
 * The program is named by `CHROMIUM`, or found on the path by one of its names. A page of these tests may ask this machine alone:
 * whatever else it asks for is refused and remembered, as is every complaint on its console.
 */
import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const USUAL = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
export const MISSING =
  'the browser tests want Chromium: install it (Debian: apt-get install --no-install-recommends chromium), or name the program in CHROMIUM'

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The program; undefined if there is none. */
export const findChromium = (): string | undefined => {
  const { CHROMIUM: named, PATH = '' } = process.env
  if (named) return isProgram(named) ? named : undefined
  const folders = PATH.split(delimiter).filter((folder) => folder !== '')
  return [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...USUAL].find(isProgram)
}

export const openBrowser = async (): Promise<Browser> => {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(MISSING)
  // Root, as in containers, has no sandbox.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']

type Violation = { readonly id: string; readonly help: string; readonly nodes: readonly { readonly html: string }[] }

/** What axe finds wrong with the page, as it is now. */
export const violationsOf = async (page: Page): Promise<readonly string[]> => {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(axe)
  const found = await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((all) => all.violations)`,
  )
  return (found as readonly Violation[]).map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html}`)
}

export type Visit = {
  readonly page: Page
  readonly complaints: readonly string[]
  readonly strangers: readonly string[]
}

/** A page of its own, which ends with the test. A request that a part did not answer is none of its faults. */
export const visit = async (
  t: ExecutionContext,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Visit> => {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  const strangers: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error.stack)))
  await page.route('**/*', (route) => {
    const { hostname, href } = new URL(route.request().url())
    if (hostname === '127.0.0.1') return route.continue()
    strangers.push(href)
    return route.abort()
  })
  return { page, complaints, strangers }
}

/**
 * Where does a stranger see the shop?
 *
 * At `/` and `/console` is a page that shows what happens in it. It is what lies in `gateway/pages`, as it lies there, and two files of
 * packages; it asks nobody but this gateway. A browser that asks for what there is not gets a small page that says so.
 */
import { readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type File, HTML, openFiles, SCRIPT, STYLE } from '../files.ts'

const PAGES = new URL('../pages/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = { js: SCRIPT, css: STYLE, svg: 'image/svg+xml' }

const ours = (name: string): string => new URL(name, PAGES).href
const ofPackage = (path: string): string => import.meta.resolve(path)

const index: File = { type: HTML, url: ours('index.html') }
/** No path that a client can ask for. */
const MISSING = 'missing'

const filesOfPage = (): ReadonlyMap<string, File> =>
  new Map([
    ['/', index],
    ['/console', index],
    [MISSING, { type: HTML, url: ours('missing.html') }],
    ['/vendor/preact.js', { type: SCRIPT, url: ofPackage('htm/preact/standalone') }],
    ['/vendor/uplot.js', { type: SCRIPT, url: ofPackage('uplot/dist/uPlot.esm.js') }],
    ['/vendor/uplot.css', { type: STYLE, url: ofPackage('uplot/dist/uPlot.min.css') }],
    ...readdirSync(PAGES).flatMap((name): [string, File][] => {
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]
      return type === undefined ? [] : [[`/console/${name}`, { type, url: ours(name) }]]
    }),
  ])

const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/** Whether a client would rather have a page than anything else: a program asks for JSON, or takes all alike. */
export const prefersPage = ({ headers: { accept = '' } }: IncomingMessage): boolean =>
  /(^|,)\s*text\/html\s*(;(?!\s*q=0(\.0*)?\s*(,|$))|,|$)/i.test(accept)

export type Page = {
  /** Whether it is at this path, without a query. */
  readonly has: (path: string) => boolean
  /** Answers what it knows; false, and nothing is answered, if it does not know the path. */
  readonly send: (request: IncomingMessage, response: ServerResponse, path: string, requestId: string) => boolean
  /** Says to a browser that there is no such page. */
  readonly sendMissing: (request: IncomingMessage, response: ServerResponse, requestId: string) => void
}

export const openPage = (onError: (error: unknown) => void): Page => {
  const files = filesOfPage()
  const sendFile = openFiles({ files, policy: POLICY, onError })
  const has = (path: string): boolean => path !== MISSING && files.has(path)
  return {
    has,
    send: (request, response, target, requestId) => {
      const [path = ''] = target.split('?')
      return has(path) && sendFile(request, response, path, requestId)
    },
    sendMissing: (request, response, requestId) => void sendFile(request, response, MISSING, requestId, 404),
  }
}

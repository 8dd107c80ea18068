/**
 * Where does a stranger learn what the shop can be asked?
 *
 * `/openapi.json` is the contract, `/docs` a page that shows it and lets one try it; two more files have the same as requests to
 * be sent in order. All comes from here: the page asks nobody else. It is there also while the services are not.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type File, HTML, openFiles, SCRIPT, STYLE } from '../files.ts'

export type Docs = {
  /** Whether it is at this path, without a query. */
  readonly has: (path: string) => boolean
  /** Answers what it knows; false, and nothing is answered, if it does not know the path. */
  readonly send: (request: IncomingMessage, response: ServerResponse, path: string, requestId: string) => boolean
}

const ours = (name: string): string => new URL(name, import.meta.url).href
const ofPage = (name: string): string => import.meta.resolve(`swagger-ui-dist/${name}`)

const FILES: ReadonlyMap<string, File> = new Map([
  ['/openapi.json', { type: 'application/json', url: ours('openapi.json') }],
  ['/shop.postman_collection.json', { type: 'application/json', url: ours('shop.postman_collection.json') }],
  ['/shop.http', { type: 'text/plain; charset=utf-8', url: ours('shop.http') }],
  ['/docs', { type: HTML, url: ours('index.html') }],
  ['/docs/docs.js', { type: SCRIPT, url: ours('docs.js') }],
  ['/docs/docs.css', { type: STYLE, url: ours('docs.css') }],
  ['/docs/swagger-ui.css', { type: STYLE, url: ofPage('swagger-ui.css') }],
  ['/docs/swagger-ui-bundle.js', { type: SCRIPT, url: ofPage('swagger-ui-bundle.js') }],
])
/** Where clients of an older lock service look for such a page, beside what that can be asked. */
export const OLD_DOCS = '/v1/docs'
/** The same of those of other back ends. */
const MOVED: ReadonlySet<string> = new Set(['/swagger/index.html', OLD_DOCS])

/** The page sets styles of elements by itself, and has its pictures in its files. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

/** The paths of all rows, as the contract has them. */
export const contractPaths = async (): Promise<readonly string[]> => {
  const { paths } = JSON.parse(await readFile(new URL('openapi.json', import.meta.url), 'utf8')) as { paths: object }
  return Object.keys(paths)
}

export const openDocs = (onError: (error: unknown) => void): Docs => {
  const sendFile = openFiles({ files: FILES, policy: POLICY, onError })
  return {
    has: (path) => FILES.has(path) || MOVED.has(path),
    send: (request, response, target, requestId) => {
      const [path = ''] = target.split('?')
      if (!MOVED.has(path)) return sendFile(request, response, path, requestId)
      response.writeHead(308, ['Location', '/docs', 'Content-Length', '0', 'X-Request-Id', requestId]).end()
      return true
    },
  }
}

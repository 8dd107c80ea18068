/**
 * What can the shop be asked, as a file of requests that editors send (`.http`)?
 *
 * Variables are what named requests were answered, in the way of REST Client of VS Code, which others have taken over.
 */
import { SETTINGS, type ShownRequest, shownRequests } from './requests.ts'

const HEAD = `# What the shop can be asked: the requests of "A visit" in order, then all others, which know what it has made.
# TOKEN is a token of an operator, if the shop wants one.
`

const textOf = ({ id, row, path, query, headers, body }: ShownRequest): string => {
  const asked = Object.entries(query).map(([name, value]) => `${name}=${value}`)
  return [
    `### ${row.summary} (${row.scope})`,
    `# @name ${id}`,
    `${row.method} {{SHOP}}${path}${asked.length > 0 ? `?${asked.join('&')}` : ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : ['', body]),
    '',
  ].join('\n')
}

/** The file as it is written. */
export const httpFileText = (): string => {
  const requests = shownRequests()
  const variables = [
    ...Object.entries(SETTINGS).map(([name, value]) => `@${name} = ${value}`),
    ...requests.flatMap(({ id, keeps }) =>
      Object.entries(keeps).map(([name, place]) => `@${name} = {{${id}.response.body.$.${place}}}`),
    ),
  ]
  const folders = [...new Set(requests.map(({ folder }) => folder))]
  const parts = folders.map((name) =>
    [`# ${name}\n`, ...requests.filter(({ folder }) => folder === name).map(textOf)].join('\n'),
  )
  return `${[HEAD, `${variables.join('\n')}\n`, ...parts].join('\n')}`
}

/**
 * What can the shop be asked, as a collection of Postman (v2.1)? Its tests fill the variables, so that its requests can be sent
 * in order.
 */
import { SETTINGS, type ShownRequest, shownRequests } from './requests.ts'

type Object_ = Readonly<Record<string, unknown>>

/** What is done with the answer: must it be a success, and which variables does a success fill? */
const scriptOf = ({ keeps, succeeds, row }: ShownRequest): readonly string[] => {
  const kept = Object.entries(keeps)
  const statuses = Object.keys(row.answers).join(', ')
  return [
    ...(succeeds
      ? [`pm.test('it succeeds', () => pm.expect(pm.response.code).to.be.oneOf([${succeeds.join(', ')}]))`]
      : []),
    ...(kept.length > 0 ? [`if ([${statuses}].includes(pm.response.code)) {`] : []),
    ...kept.map(([name, place]) => `  pm.collectionVariables.set('${name}', pm.response.json().${place})`),
    ...(kept.length > 0 ? ['}'] : []),
  ]
}

const itemOf = (request: ShownRequest): Object_ => {
  const { id, row, path, query, others, headers, body } = request
  const exec = scriptOf(request)
  const asked = Object.entries(query).map(([key, value]) => ({ key, value }))
  const raw = `{{SHOP}}${path}${asked.length > 0 ? `?${asked.map(({ key, value }) => `${key}=${value}`).join('&')}` : ''}`
  return {
    id,
    name: id,
    ...(exec.length > 0 ? { event: [{ listen: 'test', script: { type: 'text/javascript', exec } }] } : {}),
    request: {
      description: `${row.summary}. Scope: ${row.scope}.`,
      method: row.method,
      header: Object.entries(headers).map(([key, value]) => ({ key, value })),
      url: {
        raw,
        host: ['{{SHOP}}'],
        path: path.slice(1).split('/'),
        query: [...asked, ...others.map((key) => ({ key, value: '', disabled: true }))],
      },
      ...(body === undefined ? {} : { body: { mode: 'raw', raw: body, options: { raw: { language: 'json' } } } }),
    },
  }
}

const collectionOf = (): Object_ => {
  const requests = shownRequests()
  const folders = [...new Set(requests.map(({ folder }) => folder))]
  const kept = [...new Set(requests.flatMap(({ keeps }) => Object.keys(keeps)))]
  return {
    info: {
      name: 'saga-shop',
      description:
        'Send the requests of "A visit" in order; the others know what it has made. TOKEN is a token of an operator, if the shop wants one.',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    item: folders.map((name) => ({
      name,
      item: requests.filter(({ folder }) => folder === name).map(itemOf),
    })),
    variable: [
      ...Object.entries(SETTINGS).map(([key, value]) => ({ key, value })),
      ...kept.map((key) => ({ key, value: '' })),
    ],
  }
}

/** The collection as it is written. */
export const collectionText = (): string => `${JSON.stringify(collectionOf(), null, 2)}\n`

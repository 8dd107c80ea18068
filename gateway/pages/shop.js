/** How are the parts of the shop, and do they keep up? */
import { html } from '/vendor/preact.js'
import { Card, Contradicted, CopyCurl, Empty, Table, Tag } from './parts.js'
import { bodyOf } from './shop-state.js'
import { amount, bytes, duration, time } from './words.js'

const KINDS = { ready: 'good', impaired: 'busy', 'not ready': 'busy', draining: 'busy', away: 'bad' }
/** A cursor is written for what is not handled within a second. */
const KEEPS_UP_MS = 2_000
const FULL = 0.7

const lagOf = ({ speaker, reads, lag_ms, lag_entries }) => {
  if (lag_ms === null) return html`<span key=${speaker}><${Tag} kind="bad">${speaker}: out of reach<//></span>`
  const kind = lag_ms > KEEPS_UP_MS ? 'busy' : 'good'
  const entries = lag_entries > 1_000 ? 'more than 1,000' : lag_entries
  const behind = lag_ms > KEEPS_UP_MS ? `${duration(lag_ms)}, ${entries} behind` : 'keeps up'
  return html`<span key=${speaker}><${Tag} kind=${kind}>${speaker}: ${behind}${reads ? '' : ' (another replica reads)'}<//></span>`
}

const parserOf = ({ last_run, next_run }) => {
  if (last_run === null) return next_run === null ? '–' : `first at ${time(next_run)}`
  const did =
    last_run.repaired > 0
      ? `repaired ${last_run.repaired}`
      : last_run.found > 0
        ? `${last_run.found} wait`
        : 'nothing to do'
  return `${time(last_run.at)}, ${did}`
}

const memoryOf = ({ used, limit }) => {
  const isFull = limit > 0 && used / limit >= FULL
  const text = limit > 0 ? `${bytes(used)} of ${bytes(limit)}` : bytes(used)
  return isFull ? html`<${Tag} kind="bad">${text}<//>` : text
}

const Replica = ({ service, replica, told }) => html`<tr>
  <th scope="row">${told?.replica ?? service}</th>
  <td><${Tag} kind=${KINDS[replica.condition]}>${replica.condition}<//></td>
  <td class="number">${replica.in_flight.checkout + replica.in_flight.short + replica.in_flight.long}</td>
  <td class="tags">${told === undefined ? '–' : told.readers.length === 0 ? 'reads no other log' : told.readers.map(lagOf)}</td>
  <td>${told === undefined ? '–' : parserOf(told.parser)}</td>
  <td class="number">${told === undefined ? '–' : told.log.entries}</td>
  <td class="number">${told === undefined ? '–' : memoryOf(told.memory)}</td>
</tr>`

const PREFIXES = { order: 'orders', payment: 'payment', stock: 'stock', ids: 'ids' }

/** How many entries are lost, and which request has the service list them: there may be thousands. */
const Named = ({ service, named }) => {
  if (named === 0) return 'nothing is lost that is not told again'
  const path = `/${PREFIXES[service]}/fault_tolerance`
  const many = named === 1 ? 'one entry is' : `${amount(named)} entries are`
  return html`${many} lost, which <code>POST ${path}</code> and the log of ${service} list by name <${CopyCurl} method="POST" path=${path} what=${`what ${service} noticed`} />`
}

const LostTails = ({ state }) => {
  const lost = Object.keys(PREFIXES).flatMap((service) => {
    const [first] = bodyOf(state, `readers.${service}`) ?? []
    return (first?.body.lost_tails ?? []).map((one) => ({ ...one, service }))
  })
  const told = bodyOf(state, 'contradictions')?.contradictions
  const contradictions = told ?? []
  if (lost.length === 0 && contradictions.length === 0)
    return html`<p class="note">No Redis has come back older than it was, and ${told ? 'nothing is contradicted' : 'whether anything is contradicted is not known now'}.</p>`
  return html`<ul class="list">
    ${contradictions.map(({ order_id, by, log_id }) => html`<li key=${order_id + log_id}><${Tag} kind="bad">contradicted<//> order <${Contradicted} order_id=${order_id} log_id=${log_id} /> by ${by}</li>`)}
    ${lost.map(({ service, speaker, noticed, named }) => html`<li key=${service + speaker + noticed}><${Tag} kind="busy">came back older<//> the Redis of ${speaker}, as ${service} noticed at ${time(noticed)}; <${Named} service=${service} named=${named} /></li>`)}
  </ul>`
}

export const Shop = ({ state }) => {
  const { services } = state
  const notReady = services.flatMap(({ replicas }) => replicas).filter(({ condition }) => condition !== 'ready').length
  const aside =
    services.length > 0 &&
    (notReady === 0
      ? html`<${Tag} kind="good">all parts are ready<//>`
      : html`<${Tag} kind="bad">${notReady} not ready<//>`)
  return html`<${Card} name="shop" title="Shop" wide aside=${aside}>
    ${
      services.length === 0
        ? html`<${Empty}>The gateway is being asked.<//>`
        : html`<${Table} label="replicas" heads=${['replica', 'condition', 'in flight', 'reads the log of', 'log parser', 'entries', 'memory of its Redis']}>
        ${services.flatMap(({ name, replicas }) => {
          const told = bodyOf(state, `readers.${name}`) ?? []
          return replicas.map(
            (replica) =>
              html`<${Replica} key=${replica.origin} service=${name} replica=${replica} told=${replica.condition === 'away' ? undefined : told.find(({ origin }) => origin === replica.origin)?.body} />`,
          )
        })}
      <//>`
    }
    <${LostTails} state=${state} />
  <//>`
}

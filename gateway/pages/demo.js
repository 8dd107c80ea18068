/**
 * What can be done to this shop, to see it survive?
 *
 * Only where it runs under `npm start`. Beside the buttons stands what is being done, how many checkouts wait, and whether all is there.
 */
import { html, useState } from '/vendor/preact.js'
import { Verdict } from './audit.js'
import { Card, Confirm, Contradicted, Tag } from './parts.js'
import { ask } from './session.js'
import { bodyOf, checkoutsOf } from './shop-state.js'
import { count, duration } from './words.js'

const SERVICES = ['order', 'payment', 'stock']
const DONE = { kill: 'killed', freeze: 'frozen' }
const serviceOf = (part) => part.replace(/-.*$/, '')

/** What can be done to a part, unless something is being done to it. It keeps the focus meanwhile, which a disabled button would lose. */
const Harm = ({ part, verb, isBusy, onPress, children }) =>
  html`<button type="button" aria-disabled=${isBusy} aria-label=${`${verb} ${part}`} onClick=${() => isBusy || onPress()}>${children}</button>`

const Doing = ({ doing, at }) =>
  doing.map(
    ({ part, what, until }) =>
      html`<li key=${part}><${Tag} kind="busy">${part} is ${what}<//>${until > at && html` <small>for ${duration(until - at)} more at most</small>`}</li>`,
  )

const LINKED = 5
/** What harm can leave that nothing but a person ends. */
const Contradictions = ({ state }) => {
  const { contradictions = [] } = bodyOf(state, 'contradictions') ?? {}
  if (contradictions.length === 0) return null
  const more = contradictions.length - LINKED
  return html`<li><${Tag} kind="bad">${count(contradictions.length, 'order')} contradicted<//> A person resolves each, by a refund or as it is:
    ${contradictions.slice(0, LINKED).map(({ order_id, log_id }) => html` <${Contradicted} key=${order_id} order_id=${order_id} log_id=${log_id} />`)}${more > 0 && ` and ${more} more, listed below`}</li>`
}

/** What a stranger might look at now. */
const hintOf = ({ customers, doing }, waiting) => {
  if (doing.length > 0)
    return 'Checkouts wait or are tried again meanwhile; the list says of each what comes next. Once the part is back, all of them end.'
  if (waiting > 0) return 'What waited is being finished.'
  if (customers === null)
    return 'Let customers in first: twenty of them, ten checkouts a second, for five minutes at most.'
  return 'Kill or freeze a part, or have a Redis forget its last seconds, and look at the checkouts and the audit.'
}

export const Demo = ({ state, onTell }) => {
  const [wish, setWish] = useState(undefined)
  const { demo, at } = state
  const run = (path) => ask('POST', `/console/demo/${path}`)
  const press = (path, done) => async () => {
    const { ok, sentence } = await run(path)
    onTell(ok ? done : sentence)
  }
  const letIn = press('let-in', 'customers are let in')
  const sendHome = press('send-home', 'the customers go home')
  const isBusy = (part) => demo.doing.some((one) => one.part === part)
  const waiting = checkoutsOf(state).filter(({ waits, isOverdue }) => waits || isOverdue).length
  const { customers } = demo
  const setBack = (part) => ({
    part,
    request: () => ({ method: 'POST', path: `/console/demo/set-back/${part}`, run: () => run(`set-back/${part}`) }),
  })
  const verdict = html`<${Verdict} state=${state} balanced="all money and goods are there" unbalanced="the audit does not add up" unknown="the audit cannot be had now" />`
  return html`<${Card} name="demo" title="See it survive" wide aside=${verdict}>
    <div class="buttons">
      <button type="button" class=${customers === null ? 'main' : ''} onClick=${customers === null ? letIn : sendHome}>${customers === null ? 'let customers in' : 'send customers home'}</button>
      ${customers && html`<span class="note number">${count(customers.checkouts, 'checkout')}, ${duration(Math.max(0, customers.until - at))} left</span>`}
    </div>
    <div class="harms">
      ${SERVICES.map(
        (service) => html`<fieldset key=${service}><legend>${service}</legend><div class="buttons">
          ${demo.parts
            .filter((part) => serviceOf(part) === service)
            .flatMap((part) =>
              ['kill', 'freeze'].map(
                (verb) => html`<${Harm} key=${part + verb} part=${part} verb=${verb} isBusy=${isBusy(part)}
                  onPress=${press(`${verb}/${part}`, `${part} is ${DONE[verb]}`)}>${verb}${part.endsWith('-1') ? '' : ` ${part}`}<//>`,
              ),
            )}
          <${Harm} part=${`${service}-redis`} verb="set back" isBusy=${isBusy(`${service}-redis`)} onPress=${() => setWish(setBack(`${service}-redis`))}>set back<//>
        </div></fieldset>`,
      )}
    </div>
    <ul class="list doing" aria-live="polite">
      <${Doing} doing=${demo.doing} at=${at} />
      <${Contradictions} state=${state} />
      <li>${waiting > 0 && html`<${Tag} kind="busy">${count(waiting, 'checkout')} wait${waiting === 1 ? 's' : ''}<//> `}<span class="dim">${hintOf(demo, waiting)}</span></li>
    </ul>
    ${
      wish &&
      html`<${Confirm} title=${`set back ${wish.part}?`} verb="set back" request=${wish.request} onDone=${({ ok, sentence }) => onTell(ok ? `${wish.part} is set back` : sentence)} onClose=${() => setWish(undefined)}>
      <p>This Redis is stopped, loses what it has written in the last five seconds, and comes back, as after a disk that lied. The services find out and rebuild the
      checkouts from what their peers know. What only this Redis knew, such as credit that was added in these seconds, is gone, and is listed by name.</p>
      <p>An order that was paid with such credit may then be contradicted: no rule can make both sides true. It is listed, and the audit adds up again once
      a person has resolved each of these.</p>
    <//>`
    }
  <//>`
}

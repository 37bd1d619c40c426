import type {ComponentChildren} from 'preact'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import type {ContainerView} from '../../../../machines/views/view.ts'
import {now} from '../model/clock.ts'
import {findNamesake} from '../model/containers.ts'
import {Link} from '../shell/link.tsx'
import {StateMark} from '../shell/state-mark.tsx'
import {formatAge, formatMoment} from '../wording/duration.ts'
import {formatExit, isGoodExit} from '../wording/exit.ts'
import {limitsSentence} from '../wording/limits-sentence.ts'
import type {Moment} from './moment.ts'

/** The name of the container, its state at this moment, and its properties. */
export function Head({moment, children}: {readonly moment: Moment; readonly children: ComponentChildren}) {
  const {address, ledger, uid} = moment
  const view = toContainerView(ledger)
  return (
    <div class="head">
      <nav class="crumbs" aria-label="Place">
        <Link to={{page: 'overview'}}>Containers</Link>
        <span aria-hidden="true">/</span>
        {address.node}
        <span aria-hidden="true">/</span>
        {address.namespace}
      </nav>
      <div class="head-line">
        <h1>{address.id}</h1>
        {view && (
          <p class="head-state">
            <StateMark view={view} />
            <span class="head-since" title={formatMoment(view.since)}>
              {moment.isNow ? `for ${formatAge(now.value - Date.parse(view.since))}` : `since ${formatMoment(view.since)}`}
            </span>
            {view.exit && (
              <span class="exit" data-tone={isGoodExit(view.exit) ? 'quiet' : 'bad'}>
                {formatExit(view.exit)}
              </span>
            )}
          </p>
        )}
      </div>
      {view && <p class="head-command two-lines mono">{view.args.join(' ') || view.bundle}</p>}
      {view && <Facts view={view} uid={uid} />}
      {view?.state === 'deleted' && <Namesake moment={moment} />}
      {children}
    </div>
  )
}

function Namesake({moment: {address, uid}}: {readonly moment: Moment}) {
  const other = findNamesake(address, uid)
  if (!other) return null
  return (
    <p class="head-since">
      <Link to={{page: 'container', address, uid: other.uid}}>Another container</Link> has this name now.
    </p>
  )
}

function Facts({view, uid}: {readonly view: ContainerView; readonly uid: string}) {
  const labels = Object.entries(view.labels ?? {}).map(([key, value]) => `${key}=${value}`)
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['process', view.pid === undefined ? undefined : String(view.pid)],
    ['limits', view.limits && (limitsSentence(view.limits) || undefined)],
    ['stop', view.stop && `${view.stop.signal}, SIGKILL at ${formatMoment(view.stop.dueAt)}`],
    ['health', view.health && [view.health.status, view.health.output?.trim().split('\n')[0]].filter(Boolean).join(': ')],
    ['restart', view.restart && toRestart(view.restart)],
    ['restarts', view.restarts === undefined ? undefined : String(view.restarts)],
    ['restart at', view.restartDueAt && formatMoment(view.restartDueAt)],
    ['killed, out of memory', view.oomKills === undefined ? undefined : String(view.oomKills)],
    ['labels', labels.length > 0 ? labels.join(' ') : undefined],
    ['root', view.rootfs],
    ['uid', uid.slice(0, 8)],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

function toRestart({policy, maxRetries, attempt}: NonNullable<ContainerView['restart']>): string {
  const parts = [policy, maxRetries === undefined ? '' : `at most ${maxRetries} times`, attempt === undefined ? '' : `attempt ${attempt}`]
  return parts.filter((part) => part !== '').join(', ')
}

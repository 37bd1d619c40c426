import type {ContainerView} from '../../../../machines/views/view.ts'
import {now} from '../model/clock.ts'
import {findView, nodeInfo} from '../model/containers.ts'
import type {Route} from '../model/route-path.ts'
import {Link} from '../shell/link.tsx'
import {StateMark} from '../shell/state-mark.tsx'
import {formatAge, formatMoment} from '../wording/duration.ts'
import {formatExit, isGoodExit} from '../wording/exit.ts'
import {countOf} from '../wording/quantity.ts'
import {toViewTone} from '../wording/state.ts'
import {chosenUid} from './listing.ts'
import {UsageCell} from './usage-cell.tsx'

interface RowProps {
  readonly uid: string
  /** Counted from 0. */
  readonly index: number
  readonly count: number
  readonly top: number
}

/** One container. Rendered again only when its own signal changes. */
export function Row({uid, index, count, top}: RowProps) {
  const view = findView(uid)?.value
  if (!view) return null
  const isChosen = chosenUid.value === uid
  return (
    <li
      class="row"
      data-tone={toViewTone(view)}
      data-id={view.id}
      data-chosen={isChosen}
      aria-setsize={count}
      aria-posinset={index + 1}
      style={{transform: `translateY(${top}px)`}}
    >
      <span class="row-flash" key={view.eventCount} aria-hidden="true" />
      <span class="row-tone" aria-hidden="true" />
      <span class="row-what">
        <Link class="row-name" to={toRoute(view)}>
          {view.id}
        </Link>
        <Where view={view} />
        <span class="row-command mono" title={view.args.join(' ')}>
          {view.args.join(' ') || view.bundle}
        </span>
      </span>
      <span class="row-state">
        <StateMark view={view} />
        <span class="row-age" title={`since ${formatMoment(view.since)}`}>
          {formatAge(now.value - Date.parse(view.since))}
        </span>
      </span>
      <Result view={view} />
      <UsageCell address={view} of="cpu" isLive={view.state === 'running'} />
      <UsageCell address={view} of="memory" isLive={view.state === 'running'} />
    </li>
  )
}

export function toRoute({node, namespace, id, uid, state}: ContainerView): Route {
  return {page: 'container', address: {node, namespace, id}, ...(state === 'deleted' && {uid})}
}

function Where({view}: {readonly view: ContainerView}) {
  const parts = [view.namespace === 'default' ? '' : view.namespace, view.node === nodeInfo.value?.node ? '' : view.node].filter(
    (part) => part !== '',
  )
  return <span class="row-where">{parts.join(' · ')}</span>
}

/** The exit status or the error, and notes such as health and restarts. */
function Result({view}: {readonly view: ContainerView}) {
  const notes = [
    view.unsupervised ? 'unsupervised' : '',
    view.health?.status ?? '',
    view.restarts === undefined ? '' : countOf(view.restarts, 'restart'),
    view.oomKills === undefined ? '' : `${view.oomKills} OOM`,
    view.execs === undefined ? '' : countOf(view.execs.length, 'exec'),
    view.limits && Object.keys(view.limits).length > 0 ? 'limits' : '',
  ].filter((note) => note !== '')
  return (
    <span class="row-result">
      {view.exit && (
        <span class="exit" data-tone={isGoodExit(view.exit) ? 'quiet' : 'bad'} title={view.exit.type === 'lost' ? view.exit.reason : ''}>
          {formatExit(view.exit)}
        </span>
      )}
      {view.state === 'failed' && view.error && (
        <span class="exit" data-tone="bad" title={view.error.message}>
          {view.error.code}
        </span>
      )}
      <span class="row-notes">{notes.join(' · ')}</span>
    </span>
  )
}

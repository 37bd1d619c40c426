import {useEffect, useMemo, useState} from 'preact/hooks'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {containerMachine} from '../../../../machines/charts/container.machine.ts'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {toMarks} from '../../../chart/moment.ts'
import {Chart} from '../chart/chart.tsx'
import {followLedger} from '../model/followed-ledger.ts'
import {go} from '../model/route.ts'
import type {Route} from '../model/route-path.ts'
import {useKeys} from '../shell/keyboard.ts'
import {Link} from '../shell/link.tsx'
import {FailureNote, Notice} from '../shell/notice.tsx'
import {TerminalTab} from '../terminal/terminal-tab.tsx'
import {toViewTone} from '../wording/state.ts'
import {Actions} from './actions.tsx'
import {isOffered, type OfferedCommand} from './commands.ts'
import {ContextTab} from './context-tab.tsx'
import {Head} from './head.tsx'
import {LedgerTab} from './ledger-tab.tsx'
import {LogTab} from './log-tab.tsx'
import {type Moment, toMoment} from './moment.ts'
import {MomentCard} from './moment-card.tsx'
import {ProcessesTab} from './processes-tab.tsx'
import {Scrubber} from './scrubber.tsx'
import {SupervisorTab} from './supervisor-tab.tsx'
import {Tabs} from './tabs.tsx'
import {type Travel, useTravel} from './travel.ts'

type ContainerRoute = Extract<Route, {readonly page: 'container'}>

export function ContainerPage({route}: {readonly route: ContainerRoute}) {
  const followed = useMemo(() => followLedger(route.address, route.uid), [])
  useEffect(() => () => followed[Symbol.dispose](), [])
  useEffect(() => {
    document.title = `${route.address.id} · Tallyman`
  }, [])
  const state = followed.state.value
  const moment = state.type === 'open' ? toMoment(route.address, state.uid, state.timeline, route.at) : undefined
  const travel = useTravel(route, moment)
  useKeys({
    ArrowLeft: () => travel.step(-1),
    k: () => travel.step(-1),
    ArrowRight: () => travel.step(1),
    j: () => travel.step(1),
    Home: () => travel.go(1),
    End: () => travel.go(undefined),
    ' ': travel.togglePlaying,
    Escape: () => (moment?.isNow === false ? travel.go(undefined) : go({page: 'overview'})),
  })
  if (state.type === 'missing') return <Missing id={route.address.id} />
  if (state.type === 'failed') {
    return (
      <Notice title={route.address.id}>
        <FailureNote failure={state.failure} />
        <p>
          <button type="button" class="button" onClick={() => void followed.reload()}>
            Try again
          </button>
        </p>
      </Notice>
    )
  }
  if (!moment) return <main class="loading" aria-busy="true" aria-label="Loading" />
  return <OpenContainer moment={moment} travel={travel} />
}

function Missing({id}: {readonly id: string}) {
  return (
    <Notice title={`No container ${id}`}>
      <p>The event stream has no container of this name. It never existed, or its events have expired.</p>
      <p>
        <Link to={{page: 'overview'}}>Show all containers</Link>
      </p>
    </Notice>
  )
}

const tabNames = ['ledger', 'log', 'terminal', 'processes', 'context', 'supervisor'] as const
type TabName = (typeof tabNames)[number]
const tabTitles: Readonly<Record<TabName, string>> = {
  ledger: 'Ledger',
  log: 'Output',
  terminal: 'Terminal',
  processes: 'Processes',
  context: 'Context',
  supervisor: 'Supervisor',
}

function OpenContainer({moment, travel}: {readonly moment: Moment; readonly travel: Travel}) {
  const [tab, setTab] = useState<TabName>('ledger')
  const [asked, setAsked] = useState<OfferedCommand | undefined>(undefined)
  const [pointedAt, setPointedAt] = useState<OfferedCommand | undefined>(undefined)
  const {ledger, before, event, isNow} = moment
  const view = toContainerView(ledger)
  const marks = useMemo(
    () => toMarks(containerMachine, {snapshot: ledger.snapshot, latest: event && {event, before: before.snapshot}}),
    [ledger],
  )
  return (
    <main class="container" data-past={!isNow}>
      <div class="container-body">
        <Head moment={moment}>
          <Actions moment={moment} asked={asked} onAsk={setAsked} onPoint={setPointedAt} />
        </Head>
        <figure class="stage sheet" data-tone={view ? toViewTone(view) : 'quiet'}>
          <Chart
            name="container"
            marks={marks}
            moment={moment.sequence}
            label={`The chart of ${moment.address.id}: ${toTopLevelState(ledger)}`}
            pointedAt={pointedAt}
            onCommand={isNow ? (command) => isOffered(command) && setAsked(command) : undefined}
          />
          <figcaption class="legend">
            <span data-legend="lit">active</span>
            <span data-legend="last">last</span>
            <span data-legend="possible">possible</span>
            <span>› command</span>
          </figcaption>
        </figure>
        <div class="side">
          <MomentCard moment={moment} travel={travel} />
          <section class="sheet" aria-label="Details">
            <Tabs
              label="Details"
              names={tabNames}
              titles={tabTitles}
              counts={{ledger: moment.timeline.events.length, processes: ledger.processes.size}}
              chosen={tab}
              onChoose={setTab}
            />
            <div class="panel" role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`}>
              <Tab name={tab} moment={moment} travel={travel} />
              {/* Always mounted: the terminal session continues while another tab is shown. */}
              <div hidden={tab !== 'terminal'}>
                <TerminalTab moment={moment} />
              </div>
            </div>
          </section>
        </div>
      </div>
      <Scrubber moment={moment} travel={travel} />
    </main>
  )
}

function Tab({name, moment, travel}: {readonly name: TabName; readonly moment: Moment; readonly travel: Travel}) {
  switch (name) {
    case 'ledger':
      return <LedgerTab moment={moment} travel={travel} />
    case 'log':
      return <LogTab moment={moment} />
    case 'terminal':
      return null
    case 'processes':
      return <ProcessesTab moment={moment} />
    case 'context':
      return <ContextTab moment={moment} />
    case 'supervisor':
      return <SupervisorTab moment={moment} />
  }
}

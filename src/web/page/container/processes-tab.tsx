import {useState} from 'preact/hooks'
import {toProcessView} from '../../../../machines/views/container-view.ts'
import {type Failure, isExecEvent} from '../../../../machines/ledger/events.ts'
import {processMachine} from '../../../../machines/charts/process.machine.ts'
import type {ProcessView} from '../../../../machines/views/view.ts'
import {foldMachine, toMarks} from '../../../chart/moment.ts'
import {toFailure} from '../api/http.ts'
import {Chart} from '../chart/chart.tsx'
import {FailureNote} from '../shell/notice.tsx'
import {formatMoment} from '../wording/duration.ts'
import {formatExit} from '../wording/exit.ts'
import {sendCommand} from './commands.ts'
import type {Moment} from './moment.ts'

/** The added processes, each with its own chart. */
export function ProcessesTab({moment}: {readonly moment: Moment}) {
  const processes = [...moment.ledger.processes].flatMap(([exec, snapshot]) => toProcessView(exec, snapshot) ?? [])
  if (processes.length === 0)
    return (
      <p class="tab-note">
        No process had been added at this moment. The terminal or <code>tally exec</code> adds one.
      </p>
    )
  return (
    <div class="processes">
      {processes.map((process) => (
        <ProcessCard key={process.exec} process={process} moment={moment} />
      ))}
    </div>
  )
}

function ProcessCard({process, moment}: {readonly process: ProcessView; readonly moment: Moment}) {
  const [failure, setFailure] = useState<Failure | undefined>(undefined)
  const {exec, state, args, pid, addedAt, exit} = process
  const mine = moment.timeline.events.filter((event) => event.sequence <= moment.sequence && isExecEvent(event) && event.data.exec === exec)
  const send = (verb: string, request: Readonly<Record<string, unknown>>) => {
    setFailure(undefined)
    sendCommand(moment.address, verb, {exec, ...request}).catch((error: unknown) => setFailure(toFailure(error)))
  }
  return (
    <article class="process" aria-label={`Process ${exec}`}>
      <div class="process-chart">
        <Chart
          name="process"
          isFixed
          marks={toMarks(processMachine, foldMachine(processMachine, mine))}
          moment={mine.at(-1)?.sequence ?? 0}
          label={`The chart of process ${exec}: ${state}`}
        />
      </div>
      <div class="process-text">
        <h3>
          {exec} <span>{state}</span>
        </h3>
        <p class="mono">{args.join(' ')}</p>
        <p class="process-facts">
          {pid === undefined ? '' : `process ${pid} · `}added {formatMoment(addedAt)}
          {exit && ` · ${formatExit(exit)}`}
        </p>
        {moment.isNow && (
          <div class="actions-buttons">
            {state === 'created' && (
              <button type="button" class="button" onClick={() => send('start', {})}>
                Start
              </button>
            )}
            {state === 'running' && (
              <button type="button" class="button" onClick={() => send('kill', {signal: 'SIGKILL'})}>
                Kill
              </button>
            )}
            {(state === 'created' || state === 'stopped') && (
              <button type="button" class="button grave" onClick={() => send('delete', {})}>
                Delete
              </button>
            )}
          </div>
        )}
        {failure && <FailureNote failure={failure} onDismiss={() => setFailure(undefined)} />}
      </div>
    </article>
  )
}

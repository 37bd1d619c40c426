import {supervisorMachine} from '../../../../machines/charts/supervisor.machine.ts'
import {foldMachine, toActiveStates, toMarks} from '../../../chart/moment.ts'
import {Chart} from '../chart/chart.tsx'
import {findChart} from '../chart/layouts.ts'
import type {Moment} from './moment.ts'

/** The chart of the container's supervision. */
export function SupervisorTab({moment}: {readonly moment: Moment}) {
  const events = moment.timeline.events.slice(0, moment.sequence)
  const folded = foldMachine(supervisorMachine, events)
  const states = toActiveStates(folded.snapshot.value)
  const description = findChart('supervisor').model.whole.states.get(states.at(-1) ?? '')?.description
  const adoptions = events.filter(({type}) => type === 'supervisor.adopted').length
  return (
    <div class="supervisor">
      <p class="tab-note">
        {description} {adoptions > 0 && `A new supervisor has taken over ${adoptions === 1 ? 'once' : `${adoptions} times`}.`}
      </p>
      <div class="supervisor-chart">
        <Chart
          name="supervisor"
          isFixed
          marks={toMarks(supervisorMachine, folded)}
          moment={folded.latest?.event.sequence ?? 0}
          label={`The chart of its supervisor: ${states.join(', ')}`}
        />
      </div>
    </div>
  )
}

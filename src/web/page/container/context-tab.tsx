import {findDifferences, flatten} from '../model/flatten.ts'
import type {Moment} from './moment.ts'
import {toRemembered} from './remembered.ts'

/** The context of the charts at this moment; values that the last event changed are marked. */
export function ContextTab({moment}: {readonly moment: Moment}) {
  const context = toRemembered(moment.ledger)
  const changed = new Set(findDifferences(toRemembered(moment.before), context).map(({path}) => path))
  return (
    <dl class="context">
      {flatten(context).map(([path, value]) => (
        <div key={path} data-changed={changed.has(path)}>
          <dt class="mono">{path}</dt>
          <dd class="mono">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

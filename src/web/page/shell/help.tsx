import {signal} from '@preact/signals'
import {Dialog} from './dialog.tsx'

export const helpIsOpen = signal(false)

const keys: readonly (readonly [readonly string[], string])[] = [
  [['/'], 'find a container'],
  [['j', 'k'], 'next and previous container or event'],
  [['Enter'], 'open the container'],
  [['←', '→'], 'previous and next event'],
  [['Home', 'End'], 'the first event, and the present'],
  [['Space'], 'play all events of the container'],
  [['Esc'], 'back to the present, then to all containers'],
  [['t'], 'light or dark colours'],
  [['?'], 'these keys'],
]

export function Help() {
  if (!helpIsOpen.value) return null
  return (
    <Dialog
      title="Keys"
      onClose={() => {
        helpIsOpen.value = false
      }}
    >
      <dl class="keys">
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

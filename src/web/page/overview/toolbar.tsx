import {useEffect, useRef} from 'preact/hooks'
import {setShowsDeleted, showsDeleted} from '../model/containers.ts'
import {type SortKey, sortKeys} from '../model/view-filter.ts'
import {toTone} from '../wording/state.ts'
import {filterStates, filterText, sortKey, stateCounts, toggleState} from './listing.ts'

const sortNames: Readonly<Record<SortKey, string>> = {
  newest: 'newest first',
  name: 'by name',
  state: 'by state',
  cpu: 'by CPU',
  memory: 'by memory',
}

/** @param focusRequest changes each time the search field is to get the focus */
export function Toolbar({focusRequest}: {readonly focusRequest: number}) {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (focusRequest > 0) field.current?.focus()
  }, [focusRequest])
  return (
    <div class="toolbar">
      <div class="find">
        <label class="unseen" for="find">
          Find containers
        </label>
        <input
          id="find"
          ref={field}
          type="search"
          placeholder="Find by name, command, label…"
          autocomplete="off"
          spellcheck={false}
          value={filterText.value}
          onInput={(event) => {
            filterText.value = event.currentTarget.value
          }}
          onKeyDown={(event: KeyboardEvent) => {
            if (event.key === 'Escape') {
              filterText.value = ''
              field.current?.blur()
            }
          }}
        />
        <span class="key" aria-hidden="true">
          /
        </span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form of its own */}
      <div class="chips" role="group" aria-label="States">
        {stateCounts.value.map(([state, count]) => (
          <button
            type="button"
            class="chip"
            key={state}
            data-tone={toTone(state)}
            aria-pressed={filterStates.value.has(state)}
            onClick={() => toggleState(state)}
          >
            <span class="state-dot" aria-hidden="true" />
            {state} <strong>{count}</strong>
          </button>
        ))}
        <button type="button" class="chip" aria-pressed={showsDeleted.value} onClick={() => setShowsDeleted(!showsDeleted.value)}>
          with deleted
        </button>
      </div>
      <label class="unseen" for="sort">
        Order
      </label>
      <select
        id="sort"
        class="select"
        value={sortKey.value}
        onChange={(event) => {
          sortKey.value = sortKeys.find((key) => key === event.currentTarget.value) ?? 'newest'
        }}
      >
        {sortKeys.map((key) => (
          <option key={key} value={key}>
            {sortNames[key]}
          </option>
        ))}
      </select>
    </div>
  )
}

/** The page: composes it, and starts it. */
import './shell/dispose.ts'
import {render} from 'preact'
import {App} from './app.tsx'
import {loadContainers} from './model/containers.ts'

const root = document.getElementById('page')
if (!root) throw new Error('expected an element with id page')
root.replaceChildren()
render(<App />, root)
void loadContainers()

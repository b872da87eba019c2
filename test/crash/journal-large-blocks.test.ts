import { exploreJournals } from "./journal-states.ts"

exploreJournals(4096)

import { exploreJournals } from "./journal-states.ts"

exploreJournals(512)

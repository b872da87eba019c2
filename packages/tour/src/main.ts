import { tellStory } from "./story.ts"

process.exitCode = (await tellStory((line) => console.log(line))) ? 0 : 1

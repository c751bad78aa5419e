export { changedSkills, type SkillChange } from "./skills/changed-skills.ts";
export { loadSkills, type LoadSkillsOptions, type Skills } from "./skills/load-skills.ts";
export { SkillError, type SkillProblem } from "./skills/skill-error.ts";
export type { Skill } from "./skills/skill-file.ts";
export type { SkillText, UseSkillInput } from "./skills/use-skill.ts";

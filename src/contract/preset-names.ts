/** The presets of services. */
export const PRESET_NAMES = [
  "openai",
  "anthropic",
  "gemini",
  "azure-openai",
  "github",
  "github-git",
  "gitlab",
  "stripe",
  "slack",
  "huggingface",
  "aws-bedrock",
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

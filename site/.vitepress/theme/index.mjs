// The default theme, with the fonts of the system: nothing to download, and nothing that shifts while it loads.
import theme from "vitepress/theme-without-fonts";
import { h, markRaw, toRaw } from "vue";
import { Versions } from "./versions.mjs";
// oxlint-disable-next-line import/no-unassigned-import -- a style sheet is only loaded
import "./style.css";

export default {
  extends: theme,
  // Nothing changes it. The theme would else watch each of its two thousand items on every page, which is half the time of rendering one.
  enhanceApp: ({ siteData }) => void markRaw(toRaw(siteData.value).themeConfig.sidebar),
  Layout: () =>
    h(theme.Layout, undefined, {
      // Beside the links of a wide screen, and below those that the menu of a narrow one opens.
      "nav-bar-content-after": () => h("div", { class: "versions-bar" }, h(Versions)),
      "nav-screen-content-after": () => h(Versions),
    }),
};

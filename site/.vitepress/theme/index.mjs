// The default theme, with the fonts of the system: nothing to download, and nothing that shifts while it loads.
import theme from "vitepress/theme-without-fonts";
// oxlint-disable-next-line import/no-unassigned-import -- a style sheet is only loaded
import "./style.css";

export default theme;

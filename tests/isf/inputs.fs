/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Every kind of number with its DEFAULT: a column each, as wide as a pixel.",
    "INPUTS": [
        {"NAME": "flash", "TYPE": "event"},
        {"NAME": "lit", "LABEL": "Lit at all", "TYPE": "bool", "DEFAULT": true},
        {"NAME": "mode", "TYPE": "long", "VALUES": [3, 5, 9], "LABELS": ["three", "five", "nine"], "DEFAULT": 5},
        {"NAME": "level", "TYPE": "float", "DEFAULT": 0.2, "MIN": 0.0, "MAX": 1.0, "IDENTITY": 0.5},
        {"NAME": "place", "TYPE": "point2D", "DEFAULT": [0.4, 0.6], "MIN": [0.0, 0.0], "MAX": [1.0, 1.0]},
        {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.2, 0.4, 0.6, 0.8]}
    ]
}*/
void main() {
    int column = int(gl_FragCoord.x);
    vec4 light = vec4(0.0);
    if (column == 0) light = flash ? vec4(1.0) : vec4(0.0);
    if (column == 1) light = lit ? vec4(1.0) : vec4(0.0);
    if (column == 2) light = vec4(float(mode) / 10.0);
    if (column == 3) light = vec4(level);
    if (column == 4) light = vec4(place, 0.0, 1.0);
    if (column == 5) light = vec4(tint.rgb * tint.a, 1.0);
    gl_FragColor = light;
}

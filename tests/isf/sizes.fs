/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Passes of sizes that inputs of each kind turn; each writes its own size.",
    "INPUTS": [
        {"NAME": "columns", "TYPE": "long", "VALUES": [2, 3], "DEFAULT": 3},
        {"NAME": "tall", "TYPE": "bool", "DEFAULT": 1},
        {"NAME": "share", "TYPE": "float", "DEFAULT": 0.5}
    ],
    "PASSES": [
        {"TARGET": "first", "FLOAT": true, "WIDTH": "$columns", "HEIGHT": "if($tall, 5, 1)"},
        {"TARGET": "second", "FLOAT": true, "WIDTH": "max(floor($WIDTH * $share), 1)", "HEIGHT": 2},
        {}
    ]
}*/
void main() {
    if (PASSINDEX < 2) {
        gl_FragColor = vec4(RENDERSIZE, float(PASSINDEX), 1.0);
        return;
    }
    vec2 sizes = IMG_SIZE(first) + 10.0 * IMG_SIZE(second);
    gl_FragColor = vec4(sizes / 255.0, IMG_NORM_PIXEL(second, vec2(0.5)).b, 1.0);
}

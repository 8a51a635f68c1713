curl -s http://127.0.0.1:8090/v1/hosts | python3 -m json.tool
